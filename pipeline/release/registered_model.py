"""The model of single texts that MLflow loads: a released bundle behind MLflow's `predict`.

MLflow keeps this file as source (models from code) and runs it when it loads the model, so nothing
is pickled, and neither torch nor the rest of the repository is needed:

    mlflow.pyfunc.load_model("models:/<name>@champion").predict(["a fine film"])
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.task import columns_of
from pipeline.runtime.text_model import TextModel


class BundleModel(PythonModel):
    """Takes texts and returns a DataFrame with the columns of `columns_of`.

    These are `label`, `probability` (of that label) and `probabilities` for classification,
    `labels` and `probabilities` for multi_label, `value` for regression.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Verifies the bundle's hashes, then loads it."""
        self._model = TextModel.from_bundle(open_bundle(Path(context.artifacts["bundle"])))

    # MLflow reads the signature of the input from its type hint, and that of the output from an
    # example. It cannot read a return type of `DataFrame`.
    def predict(self, context: PythonModelContext, model_input: list[str], params: Any = None):  # type: ignore[no-untyped-def]
        """One row for each text, in order."""
        answers = self._model.predict(model_input)
        return pd.DataFrame(columns_of(self._model.task, answers))


mlflow.models.set_model(BundleModel())
