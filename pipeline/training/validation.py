"""The product's metric of a model on the validation rows."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.params import Params
from pipeline.metrics.quality import quality_figure
from pipeline.problem.problems import problem_named
from pipeline.training.predict import predict
from pipeline.training.token_rows import TokenRows

QUALITY = "validation_quality"
_BATCH_SIZE = 64


@dataclass(frozen=True)
class Validation:
    """The validation rows, on which every choice is made; targets of the texts, `(texts, width)`."""

    rows: TokenRows
    targets: NDArray[np.float64]
    params: Params

    def quality(self, model: torch.nn.Module) -> dict[str, float]:
        """The product's metric, under the name that curves give it."""
        return {QUALITY: self.report(model)[QUALITY]}

    def report(self, model: torch.nn.Module) -> dict[str, Any]:
        """The product's metric with its name, and accuracy if the problem has it."""
        product, compute = self.params.product, self.params.compute
        problem, metric = problem_named(product.problem), product.requirements.quality_metric
        logits = predict(model, self.rows, compute=compute, batch_size=_BATCH_SIZE).logits
        scores = problem.scores(logits)
        figure = partial(quality_figure, problem=problem, targets=self.targets, scores=scores)
        report = {QUALITY: figure(metric), "quality_metric": metric}
        if "accuracy" in problem.metrics:
            report["validation_accuracy"] = figure("accuracy")
        return report
