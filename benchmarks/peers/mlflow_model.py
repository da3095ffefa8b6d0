"""The bundle's model as MLflow asks for it: a model from code, which its scoring server imports by itself."""

from pathlib import Path

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from benchmarks.peers.raw_model import RawModel


class Reviews(PythonModel):
    """The raw model, read from the artifact `bundle`."""

    def load_context(self, context: PythonModelContext) -> None:
        self._model = RawModel(Path(context.artifacts["bundle"]))

    def predict(
        self, context: object, model_input: list[str], params: object = None
    ) -> list[dict[str, str | float]]:
        return [self._model.answer(text) for text in model_input]


set_model(Reviews())
