"""The metrics of GLUE, through scikit-learn and SciPy, and an interval for each."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from pipeline.metrics.quality import pearson, spearman

Values = NDArray[np.float64]


METRICS: dict[str, Callable[[Values, Values], float]] = {
    "accuracy": lambda gold, found: float(np.mean(gold == found)),
    "f1": lambda gold, found: float(metrics.f1_score(gold, found, zero_division=0.0)),
    "matthews": lambda gold, found: float(metrics.matthews_corrcoef(gold, found)),
    "pearson": pearson,
    "spearman": spearman,
}
"""Gold answers and found ones, `(rows,)` each, to a figure."""


def mean_with_interval(
    name: str, gold: Values, found: Sequence[Values], *, resamples: int, seed: int
) -> tuple[float, tuple[float, float]]:
    """A metric's mean over seeds, and its 95 % bootstrap interval over rows.

    Args:
        found: the answers of each seed's model.
    """
    metric, random = METRICS[name], np.random.default_rng(seed)
    mean = float(np.mean([metric(gold, answers) for answers in found]))
    drawn = []
    for _ in range(resamples):
        rows = random.integers(0, len(gold), len(gold))
        drawn.append(np.mean([metric(gold[rows], answers[rows]) for answers in found]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return mean, (float(low), float(high))
