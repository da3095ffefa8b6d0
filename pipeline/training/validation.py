"""The product's metric of a model on the validation rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.params import Params
from pipeline.core.product import Compute
from pipeline.metrics.quality import quality_figure
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named
from pipeline.training.predict import predict_logits
from pipeline.training.token_rows import TokenRows

QUALITY = "validation_quality"
_BATCH_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The validation rows, on which every choice is made.

    Attributes:
        targets: of each text, `(texts, width)`.
        metric: the product's metric.
    """

    rows: TokenRows
    targets: NDArray[np.float64]
    problem: Problem
    metric: str
    compute: Compute

    @classmethod
    def of(cls, rows: TokenRows, targets: NDArray[np.float64], *, params: Params) -> "Validation":
        """The validation of a product's models on `rows`."""
        return cls(
            rows=rows,
            targets=targets,
            problem=problem_named(params.product.problem),
            metric=params.product.requirements.quality_metric,
            compute=params.compute,
        )

    def quality(self, model: torch.nn.Module) -> dict[str, float]:
        """The product's metric, under the name that curves give it."""
        return {QUALITY: self._figure(self.metric, self._logits(model))}

    def report(self, model: torch.nn.Module) -> dict[str, Any]:
        """The product's metric with its name, and accuracy if the problem has it."""
        logits = self._logits(model)
        figures = {QUALITY: self._figure(self.metric, logits), "quality_metric": self.metric}
        if "accuracy" in self.problem.metrics:
            figures["validation_accuracy"] = self._figure("accuracy", logits)
        return figures

    def _logits(self, model: torch.nn.Module) -> NDArray[np.float32]:
        return predict_logits(model, self.rows, compute=self.compute, batch_size=_BATCH_SIZE)

    def _figure(self, metric: str, logits: NDArray[np.float32]) -> float:
        scores = self.problem.scores(logits)
        return quality_figure(metric, problem=self.problem, targets=self.targets, scores=scores)
