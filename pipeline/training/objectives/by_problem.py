"""The losses of each problem: of training on gold targets, and of distillation.

For distillation, a classifier's distribution is softened by the temperature; with several labels,
each label's probability. A number has nothing to soften: the student learns the teacher's number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipeline.problem.probabilities import Targets
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.training.objectives.gold import (
    GoldObjective,
    label_objective,
    multi_label_objective,
    number_objective,
    soft_label_objective,
)
from pipeline.training.token_rows import TokenRows


def soft_loss(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Kullback-Leibler divergence of each row, `(batch,)`, times temperature squared."""
    target = functional.log_softmax(teacher / temperature, dim=-1)
    answer = functional.log_softmax(student / temperature, dim=-1)
    divergence = functional.kl_div(answer, target, reduction="none", log_target=True)
    return divergence.sum(dim=-1) * temperature**2


def soft_label_loss(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Binary cross-entropy with the teacher's softened labels, the mean, `(batch,)`."""
    target = torch.sigmoid(teacher / temperature)
    return multi_label_loss(student / temperature, target) * temperature**2


def label_loss(student: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the gold label."""
    return functional.cross_entropy(student, targets[:, 0].long(), reduction="none")


def multi_label_loss(student: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of each label, its mean."""
    losses = functional.binary_cross_entropy_with_logits(student, targets, reduction="none")
    return losses.mean(dim=-1)


def squared_error(student: torch.Tensor, targets: torch.Tensor, *_: float) -> torch.Tensor:
    """Squared error of the number, against gold or the teacher."""
    return (student - targets).square().mean(dim=-1)


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Losses that models of one problem minimise.

    Attributes:
        objective: makes the objective of training on gold from rows, their targets `(rows, width)`
            and weights of the labels or None.
        soft_objective: likewise from shares of the labels, `(rows, labels)`; None where answers are numbers.
        against_teacher: the loss of each row, `(batch,)`, from student and teacher outputs,
            `(batch, outputs)`, and a temperature.
        against_gold: the loss of each row, `(batch,)`, from student outputs and targets,
            `(batch, width)`.
    """

    objective: Callable[[TokenRows, Targets, NDArray[np.float64] | None], GoldObjective]
    soft_objective: Callable[[TokenRows, Targets, NDArray[np.float64] | None], GoldObjective] | None
    against_teacher: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
    against_gold: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


LOSSES: Mapping[str, Losses] = MappingProxyType(
    {
        CLASSIFICATION: Losses(
            objective=lambda rows, gold, weights: label_objective(
                rows, gold[:, 0].astype(np.int64), weights
            ),
            soft_objective=soft_label_objective,
            against_teacher=soft_loss,
            against_gold=label_loss,
        ),
        MULTI_LABEL: Losses(
            objective=multi_label_objective,
            soft_objective=multi_label_objective,
            against_teacher=soft_label_loss,
            against_gold=multi_label_loss,
        ),
        REGRESSION: Losses(
            objective=lambda rows, gold, _: number_objective(rows, gold[:, 0]),
            soft_objective=None,
            against_teacher=squared_error,
            against_gold=squared_error,
        ),
    }
)
"""Problem → its losses."""


def gold_objective(
    rows: TokenRows,
    targets: Targets,
    *,
    problem: str,
    weights: NDArray[np.float64] | None,
    soft: NDArray[np.float64] | None = None,
) -> GoldObjective:
    """The loss of rows whose texts have these targets, `(texts, width)`.

    Args:
        targets: numbers in deviations, by the problem's `Scale`.
        weights: of each label, `(labels,)`; None where all rows weigh the same.
        soft: shares of the labels in place of the target, `(texts, labels)`, NaN for texts without; None for none at all.
    """
    losses = LOSSES[problem]
    if soft is None or losses.soft_objective is None:
        return losses.objective(rows, rows.of_rows(targets), weights)
    certain = targets
    if problem == CLASSIFICATION:
        certain = np.eye(soft.shape[1])[targets[:, 0].astype(np.int64)]
    shares = np.where(np.isnan(soft), certain, soft)
    return losses.soft_objective(rows, rows.of_rows(shares), weights)
