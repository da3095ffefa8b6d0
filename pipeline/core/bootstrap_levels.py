"""Tells which quantiles of bootstrap draws are the ends of a bias-corrected interval (Efron 1981).

The ends are moved by as much as the draws lie to one side of the value. Of agreement beyond chance they lie below
it, so that an interval of plain percentiles ends too low.
"""

from statistics import NormalDist

_NORMAL = NormalDist()
_OUTERMOST = 1e-6


def bootstrap_levels(below: float, *, confidence: float) -> tuple[float, float]:
    """Returns the two quantile levels of an interval, between 0 and 1.

    Args:
        below: share of the draws below the value, with half of those that equal it.
        confidence: of the interval, such as 0.95.
    """
    bias = _NORMAL.inv_cdf(min(max(below, _OUTERMOST), 1 - _OUTERMOST))
    end = _NORMAL.inv_cdf((1 + confidence) / 2)
    return _NORMAL.cdf(2 * bias - end), _NORMAL.cdf(2 * bias + end)
