"""Expected calibration error: how far probabilities are from the share of cases that come true."""

import numpy as np
from numpy.typing import NDArray

from pipeline.problem.probabilities import Scores, Values
from pipeline.problem.problem import Problem

_BINS = 15


def calibration_error(problem: Problem, gold: Values, scores: Scores) -> float | None:
    """The expected calibration error of the problem's `claims`; None for numbers."""
    claims = problem.claims(gold, scores)
    return None if claims is None else expected_calibration_error(*claims)


def expected_calibration_error(
    probabilities: NDArray[np.float64], held: NDArray[np.bool_]
) -> float:
    """Mean distance of probability and share over 15 equal-width bins, weighted by their rows.

    Guo et al. 2017, equation 3. 0 is perfect, 1 the worst.

    Args:
        probabilities: what each event was given, `(events,)`.
        held: whether it came true, `(events,)`.
    """
    wide, came = probabilities.astype(np.float64), held.astype(np.float64)
    bins = np.minimum((wide * _BINS).astype(np.int64), _BINS - 1)
    true, said = (np.bincount(bins, weights=values, minlength=_BINS) for values in (came, wide))
    return float(np.abs(true - said).sum() / len(wide))
