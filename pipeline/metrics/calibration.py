"""Do the probabilities mean what they say?"""

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.classification import LabelIds, Probabilities, correctness

_BINS = 15


def expected_calibration_error(label_ids: LabelIds, probabilities: Probabilities) -> float:
    """Mean distance of confidence and accuracy over 15 equal-width bins, weighted by their rows.

    Guo et al. 2017, equation 3. 0 is perfect, 1 the worst.

    Args:
        label_ids: gold labels, `(rows,)`.
        probabilities: `(rows, labels)`.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = correctness(label_ids, probabilities)
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return float(np.abs(_sums(bins, correct) - _sums(bins, confidence)).sum() / len(label_ids))


def _sums(bins: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(bins, weights=values, minlength=_BINS).astype(np.float64)
