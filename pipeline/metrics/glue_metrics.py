"""The metrics of GLUE, through scikit-learn and SciPy, and an interval for each."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from pipeline.metrics.intervals import bootstrap_interval
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
    metric = METRICS[name]
    interval = bootstrap_interval(
        lambda rows: float(np.mean([metric(gold[rows], answers[rows]) for answers in found])),
        len(gold),
        confidence=0.95,
        resamples=resamples,
        seed=seed,
    )
    return interval.value, (interval.low, interval.high)
