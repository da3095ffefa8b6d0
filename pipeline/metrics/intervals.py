"""Confidence intervals of metrics.

Two models are compared on the same rows, so the difference is resampled by row (paired bootstrap,
Efron & Tibshirani 1993, chapter 16): what is hard for both models cancels out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RowScores = NDArray[np.float64] | NDArray[np.bool_] | NDArray[np.int64]

_CELLS_AT_A_TIME = 2_000_000


class Draws(TypedDict):
    """Level of an interval, and how many samples a bootstrap draws from which seed."""

    confidence: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Interval:
    """A metric's value on some rows and the ends of its confidence interval."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """`[low, high]`, for JSON."""
        return [self.low, self.high]


def paired_difference(first: RowScores, second: RowScores, **draws: Unpack[Draws]) -> Interval:
    """Mean of `first` minus mean of `second`, both per-row scores `(rows,)` of the same rows.

    Raises:
        ValueError: the shapes differ, or there is no row.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"scores of shapes {first.shape} and {second.shape} cannot be paired")
    differences = first.astype(np.float64) - second.astype(np.float64)
    ends = _bootstrap(differences, np.mean, **draws)
    return Interval(float(differences.mean()), *ends)


def gap_interval(scores: RowScores, inside: NDArray[np.bool_], **draws: Unpack[Draws]) -> Interval:
    """Mean score of all rows minus that of the rows `inside` a slice, both resampled together."""
    rows = scores.astype(np.float64)
    weights = inside.astype(np.float64)

    def gaps(chosen: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        counts = np.maximum(weights[chosen].sum(axis=axis), 1.0)
        means: NDArray[np.float64] = rows[chosen].mean(axis=axis)
        inside_means: NDArray[np.float64] = (rows * weights)[chosen].sum(axis=axis) / counts
        return means - inside_means

    ends = _bootstrap(np.arange(len(rows)), gaps, **draws)
    return Interval(float(rows.mean() - rows[inside].mean()), *ends)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float], rows: int, **draws: Unpack[Draws]
) -> Interval:
    """Interval of any metric; `statistic` computes it from row numbers, `(rows,)`."""
    numbers = np.arange(rows)
    ends = _bootstrap(numbers, statistic, vectorized=False, **draws)
    return Interval(statistic(numbers), *ends)


def proportion_interval(correct: RowScores, *, confidence: float) -> Interval:
    """Wilson score interval of the share of ones among one or more rows `(rows,)` (Wilson 1927)."""
    test = stats.binomtest(int(np.sum(correct)), len(correct))
    ends = test.proportion_ci(confidence, method="wilson")
    return Interval(float(np.mean(correct)), float(ends.low), float(ends.high))


def _bootstrap(
    values: NDArray[Any],
    statistic: Callable[..., Any],
    *,
    vectorized: bool = True,
    **draws: Unpack[Draws],
) -> tuple[float, float]:
    """Ends of the percentile interval of a statistic of drawn `values`.

    SciPy holds a bounded number of drawn values at a time. On 1,066 rows with 2,000 draws it takes
    as long as our own loop did (0.02 s for a mean, 0.09 s for macro F1) and draws the same rows.
    """
    if len(values) == 1:  # every draw is this row, and SciPy asks for two
        only = float(statistic(values, axis=-1) if vectorized else statistic(values))
        return only, only
    found = stats.bootstrap(
        (values,),
        statistic,
        vectorized=vectorized,
        n_resamples=draws["resamples"],
        batch=max(_CELLS_AT_A_TIME // max(len(values), 1), 1),
        confidence_level=draws["confidence"],
        method="percentile",
        rng=np.random.default_rng(draws["seed"]),
    ).confidence_interval
    return float(found.low), float(found.high)
