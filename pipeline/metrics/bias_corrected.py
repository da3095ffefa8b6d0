"""Makes intervals of bootstrap draws that lie to one side of the value, as those of agreement do."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap_levels import bootstrap_levels
from pipeline.metrics.intervals import Interval

_ROUNDING = 1e-12


def bias_corrected_interval(
    value: float, drawn: NDArray[np.float64], *, confidence: float
) -> Interval:
    """Interval from a bootstrap's draws of a figure, `(draws,)`, moved by as much as they lie to one side of it."""
    near = np.abs(drawn - value) < _ROUNDING
    below = float(((drawn < value) & ~near).mean() + near.mean() / 2)
    low, high = np.quantile(drawn, bootstrap_levels(below, confidence=confidence))
    return Interval(value, float(low), float(high))
