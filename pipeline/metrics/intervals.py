"""Intervals for quality figures: how far a figure could lie from the one that these rows show.

Two models are compared on the same rows, so the difference is resampled by row (paired bootstrap,
Efron & Tibshirani 1993, chapter 16): what is hard for both models cancels out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64] | NDArray[np.bool_] | NDArray[np.int64]

_CELLS_AT_A_TIME = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds the true one at the chosen confidence.

    Attributes:
        value: the figure on these rows.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """`[low, high]`, for JSON."""
        return [self.low, self.high]


def paired_difference(
    first: Scores, second: Scores, *, confidence: float, resamples: int, seed: int
) -> Interval:
    """Mean of `first` minus mean of `second`, both per-row scores `(rows,)` of the same rows.

    Raises:
        ValueError: the shapes differ, or there is no row.
    """
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"scores of shapes {first.shape} and {second.shape} cannot be paired")
    differences = first.astype(np.float64) - second.astype(np.float64)
    means = _resampled_means(differences, resamples=resamples, seed=seed)
    return Interval(float(differences.mean()), *_ends(means, confidence))


def gap_interval(
    scores: Scores, inside: NDArray[np.bool_], *, confidence: float, resamples: int, seed: int
) -> Interval:
    """Mean score of all rows minus that of the rows `inside` a slice, both resampled together."""
    rows = scores.astype(np.float64)
    weights = inside.astype(np.float64)
    random = np.random.default_rng(seed)

    def gaps(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        counts = np.maximum(weights[chosen].sum(axis=1), 1.0)
        means: NDArray[np.float64] = rows[chosen].mean(axis=1)
        inside_means: NDArray[np.float64] = (rows * weights)[chosen].sum(axis=1) / counts
        return means - inside_means

    drawn = _by_chunks(gaps, len(rows), resamples=resamples, random=random)
    value = float(rows.mean() - rows[inside].mean())
    return Interval(value, *_ends(drawn, confidence))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    rows: int,
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """Interval of a figure that is no mean of row scores: `statistic` takes row numbers `(rows,)`."""
    random = np.random.default_rng(seed)
    drawn = np.array([statistic(random.integers(0, rows, rows)) for _ in range(resamples)])
    return Interval(statistic(np.arange(rows)), *_ends(drawn, confidence))


def proportion_interval(correct: Scores, *, confidence: float) -> Interval:
    """Wilson score interval of the share of ones among `correct` `(rows,)` (Wilson 1927).

    Raises:
        ValueError: there is no row.
    """
    rows = len(correct)
    if not rows:
        raise ValueError("a proportion of no rows")
    share = float(np.mean(correct))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    # The ends touch 0 and 1 exactly in theory; rounding must not carry them past the share.
    low = 0.0 if share == 0 else max(centre - half, 0.0)
    high = 1.0 if share == 1 else min(centre + half, 1.0)
    return Interval(share, low, high)


def _resampled_means(
    values: NDArray[np.float64], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    return _by_chunks(
        lambda chosen: values[chosen].mean(axis=1),
        len(values),
        resamples=resamples,
        random=np.random.default_rng(seed),
    )


def _by_chunks(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    rows: int,
    *,
    resamples: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """`statistic` of `(resamples, rows)` row numbers, a bounded number of cells at a time."""
    chunk = max(_CELLS_AT_A_TIME // rows, 1)
    parts = [
        statistic(random.integers(0, rows, (min(chunk, resamples - start), rows)))
        for start in range(0, resamples, chunk)
    ]
    return np.concatenate(parts)


def _ends(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
