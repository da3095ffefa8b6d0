"""The model of pairs that MLflow loads; see registered_model.py for that of single texts.

mlflow.pyfunc.load_model("models:/<name>@champion").predict(
    pandas.DataFrame({"text": ["a question"], "second": ["its answer"]})
)
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.task import columns_of, requests_of
from pipeline.runtime.text_model import TextModel


class PairModel(PythonModel):
    """Takes a DataFrame of `text` and `second`, returns one with the columns of `columns_of`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Verifies the bundle's hashes, then loads it."""
        self._model = TextModel.from_bundle(open_bundle(Path(context.artifacts["bundle"])))

    # Without a type hint MLflow reads both signatures from the example.
    def predict(self, context: PythonModelContext, model_input, params: Any = None):  # type: ignore[no-untyped-def]
        """One row for each pair, in order."""
        pairs = requests_of(model_input["text"].tolist(), model_input["second"].tolist())
        return pd.DataFrame(columns_of(self._model.task, self._model.predict(pairs)))


mlflow.models.set_model(PairModel())
