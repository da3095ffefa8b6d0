"""The objective of each problem over gold targets."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.probabilities import Targets
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.training.objectives.gold import (
    GoldObjective,
    label_objective,
    multi_label_objective,
    number_objective,
)
from pipeline.training.token_rows import TokenRows

MakeObjective = Callable[[TokenRows, Targets, NDArray[np.float64] | None], GoldObjective]
OBJECTIVES: Mapping[str, MakeObjective] = MappingProxyType(
    {
        CLASSIFICATION: lambda rows, gold, weights: label_objective(
            rows, gold[:, 0].astype(np.int64), weights
        ),
        MULTI_LABEL: multi_label_objective,
        REGRESSION: lambda rows, gold, _: number_objective(rows, gold[:, 0]),
    }
)
"""Problem → the objective of rows with these targets `(rows, width)` and weights of the labels."""


def gold_objective(
    rows: TokenRows, targets: Targets, *, problem: str, weights: NDArray[np.float64] | None
) -> GoldObjective:
    """The loss of rows whose texts have these targets, `(texts, width)`.

    Args:
        targets: numbers in deviations, by the problem's `Scale`.
        weights: of each label, `(labels,)`; None where all rows weigh the same.
    """
    return OBJECTIVES[problem](rows, rows.of_rows(targets), weights)
