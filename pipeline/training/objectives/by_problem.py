"""The losses of each problem: of training on gold targets, and of distillation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.problem.probabilities import Targets
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.training.objectives.gold import (
    GoldObjective,
    label_objective,
    multi_label_objective,
    number_objective,
)
from pipeline.training.objectives.row_losses import (
    label_loss,
    multi_label_loss,
    soft_label_loss,
    soft_loss,
    squared_error,
)
from pipeline.training.token_rows import TokenRows


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Losses that models of one problem minimise.

    Attributes:
        objective: makes the objective of training on gold from rows, their targets `(rows, width)`
            and weights of the labels or None.
        against_teacher: the loss of each row, `(batch,)`, from student and teacher outputs,
            `(batch, outputs)`, and a temperature.
        against_gold: the loss of each row, `(batch,)`, from student outputs and targets,
            `(batch, width)`.
    """

    objective: Callable[[TokenRows, Targets, NDArray[np.float64] | None], GoldObjective]
    against_teacher: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
    against_gold: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


LOSSES: Mapping[str, Losses] = MappingProxyType(
    {
        CLASSIFICATION: Losses(
            objective=lambda rows, gold, weights: label_objective(
                rows, gold[:, 0].astype(np.int64), weights
            ),
            against_teacher=soft_loss,
            against_gold=label_loss,
        ),
        MULTI_LABEL: Losses(
            objective=multi_label_objective,
            against_teacher=soft_label_loss,
            against_gold=multi_label_loss,
        ),
        REGRESSION: Losses(
            objective=lambda rows, gold, _: number_objective(rows, gold[:, 0]),
            against_teacher=squared_error,
            against_gold=squared_error,
        ),
    }
)
"""Problem → its losses."""


def gold_objective(
    rows: TokenRows, targets: Targets, *, problem: str, weights: NDArray[np.float64] | None
) -> GoldObjective:
    """The loss of rows whose texts have these targets, `(texts, width)`.

    Args:
        targets: numbers in deviations, by the problem's `Scale`.
        weights: of each label, `(labels,)`; None where all rows weigh the same.
    """
    return LOSSES[problem].objective(rows, rows.of_rows(targets), weights)
