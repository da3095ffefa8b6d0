"""Figures of a model on the validation rows, in the product's own measure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.params import Compute, Params
from pipeline.core.product import CLASSIFICATION
from pipeline.metrics.quality import quality_figure
from pipeline.training.predict import predict_logits
from pipeline.training.token_rows import TokenRows

QUALITY = "validation_quality"
_BATCH_SIZE = 64
ScoresOf = Callable[[str, NDArray[np.float32]], NDArray[np.float64]]
"""Problem and logits to scores."""


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The rows that every choice is made on.

    Attributes:
        targets: of each text, `(texts, width)`.
        metric: the product's figure of quality.
        scores: the runtime's own rule, which training does not import.
    """

    rows: TokenRows
    targets: NDArray[np.float64]
    problem: str
    metric: str
    compute: Compute
    scores: ScoresOf

    @classmethod
    def of(
        cls, rows: TokenRows, targets: NDArray[np.float64], *, params: Params, scores: ScoresOf
    ) -> "Validation":
        """The validation of a product's models on `rows`."""
        return cls(
            rows=rows,
            targets=targets,
            problem=params.product.problem,
            metric=params.product.requirements.quality_metric,
            compute=params.compute,
            scores=scores,
        )

    def quality(self, model: torch.nn.Module) -> dict[str, float]:
        """The product's figure, by the name that curves have it under."""
        return {QUALITY: self._figure(self.metric, self._logits(model))}

    def report(self, model: torch.nn.Module) -> dict[str, Any]:
        """The same for metrics.json, with its name, and the accuracy of a classifier."""
        logits = self._logits(model)
        figures = {QUALITY: self._figure(self.metric, logits), "quality_metric": self.metric}
        if self.problem == CLASSIFICATION:
            figures["validation_accuracy"] = self._figure("accuracy", logits)
        return figures

    def _logits(self, model: torch.nn.Module) -> NDArray[np.float32]:
        return predict_logits(model, self.rows, compute=self.compute, batch_size=_BATCH_SIZE)

    def _figure(self, metric: str, logits: NDArray[np.float32]) -> float:
        scores = self.scores(self.problem, logits)
        return quality_figure(metric, problem=self.problem, targets=self.targets, scores=scores)
