"""What a classifier, a labeller or a model of numbers learns from gold targets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.product import MULTI_LABEL, REGRESSION
from pipeline.training.objectives.gold import (
    GoldObjective,
    label_objective,
    multi_label_objective,
    number_objective,
)
from pipeline.training.token_rows import TokenRows

Targets = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Where numbers lie. A head learns them with mean 0 and deviation 1, whatever their unit is, for a
    learning rate suits weights of one size; pipeline/models/numbers.py then puts the unit into the head.
    """

    mean: float
    deviation: float

    def standard(self, numbers: NDArray[np.floating]) -> Targets:
        """Numbers in deviations from the mean."""
        return np.asarray((numbers - self.mean) / self.deviation, dtype=np.float64)


def scale_of(problem: str, targets: Targets) -> Scale | None:
    """The scale of regression's training targets, `(texts, 1)`; None where targets are labels."""
    if problem != REGRESSION:
        return None
    return Scale(float(targets.mean()), float(targets.std()) or 1.0)


def gold_objective(
    rows: TokenRows, targets: Targets, *, problem: str, weights: NDArray[np.float64] | None
) -> GoldObjective:
    """The loss of rows whose texts have these targets, `(texts, width)`.

    Args:
        targets: of regression, on the `Scale`.
        weights: of each label, by `balanced_weights`; None where all rows weigh the same.
    """
    gold = rows.of_rows(targets)
    if problem == REGRESSION:
        return number_objective(rows, gold[:, 0])
    if problem == MULTI_LABEL:
        return multi_label_objective(rows, gold, weights)
    return label_objective(rows, gold[:, 0].astype(np.int64), weights)


def balanced_weights(problem: str, targets: Targets, *, labels: int) -> NDArray[np.float64]:
    """Weights that make up for rare labels, `(labels,)`.

    classification: rows / (labels · rows of the label), so that the labels weigh the same in total.
    multi_label: rows without the label / rows with it, so that both answers to it do.
    """
    if problem == MULTI_LABEL:
        held = targets.sum(axis=0)
        return np.asarray((len(targets) - held) / held, dtype=np.float64)
    counts = np.bincount(targets[:, 0].astype(np.int64), minlength=labels)
    return np.asarray(len(targets) / (labels * counts), dtype=np.float64)
