"""The product's metric of a model on the validation rows."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.params import Params
from pipeline.metrics.quality import quality_figure
from pipeline.problem.decision import Decision
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

    def row_scores(self, model: torch.nn.Module) -> NDArray[np.float64]:
        """The score of each row, see `Problem.row_scores`; `(rows,)`."""
        problem = problem_named(self.params.product.problem)
        answers = problem.answers(self._scores(model), Decision())
        return problem.row_scores(problem.gold(self.targets), answers)

    def report(self, model: torch.nn.Module) -> dict[str, Any]:
        """The product's metric with its name, and accuracy if the problem has it."""
        product = self.params.product
        problem, metric = problem_named(product.problem), product.requirements.quality_metric
        scores = self._scores(model)
        figure = partial(quality_figure, problem=problem, targets=self.targets, scores=scores)
        report = {QUALITY: figure(metric), "quality_metric": metric}
        if "accuracy" in problem.metrics:
            report["validation_accuracy"] = figure("accuracy")
        return report

    def _scores(self, model: torch.nn.Module) -> NDArray[np.float64]:
        compute = self.params.compute
        logits = predict(model, self.rows, compute=compute, batch_size=_BATCH_SIZE).logits
        return problem_named(self.params.product.problem).scores(logits)
