"""Do the probabilities mean what they say?"""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.product import CLASSIFICATION, REGRESSION
from pipeline.metrics.quality import Scores, Values

_BINS = 15


def calibration_error(problem: str, gold: Values, scores: Scores) -> float | None:
    """Of the likeliest label's probability, or of every label's where several may hold; else None."""
    if problem == REGRESSION:
        return None
    if problem == CLASSIFICATION:
        return expected_calibration_error(scores.max(axis=1), scores.argmax(axis=1) == gold)
    return expected_calibration_error(scores.ravel(), gold.ravel())


def expected_calibration_error(
    probabilities: NDArray[np.float64], held: NDArray[np.bool_]
) -> float:
    """Mean distance of probability and share over 15 equal-width bins, weighted by their rows.

    Guo et al. 2017, equation 3. 0 is perfect, 1 the worst.

    Args:
        probabilities: of some events, `(events,)`.
        held: whether each came true, `(events,)`.
    """
    wide, came = probabilities.astype(np.float64), held.astype(np.float64)
    bins = np.minimum((wide * _BINS).astype(np.int64), _BINS - 1)
    return float(np.abs(_sums(bins, came) - _sums(bins, wide)).sum() / len(wide))


def _sums(bins: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(bins, weights=values, minlength=_BINS).astype(np.float64)
