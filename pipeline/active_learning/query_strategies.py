"""Chooses rows from which a model would learn most: unsure ones, ones unlike each other, and both at once.

`python -m benchmarks.annotation --only active_learning` compares these with others that were tried.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

Vectors = NDArray[np.float32]
Order = NDArray[np.int64]
UNSURE_EACH = 10
"""Rows of which one is chosen: of so many of the least sure ones, those in the middle of clusters are taken."""
_ROUNDS = 10
_LEAST_WEIGHT = 1e-3


def margins(probabilities: NDArray[np.floating], *, exclusive: bool) -> NDArray[np.float64]:
    """Distance between the two likeliest labels; of several labels, the least sure one's from even; `(rows,)`.

    Args:
        probabilities: `(rows, labels)`.
    """
    p = probabilities.astype(np.float64)
    if not exclusive:
        return np.asarray(np.abs(2 * p - 1).min(axis=1))
    two = np.sort(p, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def unsure_and_unlike(
    margin: NDArray[np.float64], vectors: Vectors, count: int, *, seed: int
) -> Order:
    """Up to `count` rows about which a model is least sure, no two of them nearly the same.

    The least sure rows, ten times as many as are wanted, are clustered, those with a small margin weighing more, and
    the row in the middle of each cluster is taken (Zhdanov 2019, arXiv 1901.05954). The order is by margin.

    Args:
        margin: `(rows,)`.
        vectors: `(rows, width)`.
    """
    unsure = np.argsort(margin, kind="stable")[: UNSURE_EACH * count]
    if len(unsure) <= count:
        return unsure
    weights = np.maximum(1 - margin[unsure], _LEAST_WEIGHT)
    middle = _middles(vectors[unsure], count, weights=weights, seed=seed)
    return unsure[np.sort(middle)]


def unlike_each_other(vectors: Vectors, count: int, *, seed: int) -> Order:
    """Up to `count` rows in the middle of as many clusters, those of the largest clusters first.

    For the first labels: a typical row of each kind (Hacohen, Dekel and Weinshall 2022, arXiv 2202.02794).

    Args:
        vectors: `(rows, width)`.
    """
    if len(vectors) <= count:
        return np.arange(len(vectors))
    return _middles(vectors, count, weights=np.ones(len(vectors)), seed=seed)


def _middles(vectors: Vectors, count: int, *, weights: NDArray[np.float64], seed: int) -> Order:
    """The row nearest to the mean of each cluster, the heaviest cluster first."""
    with warnings.catch_warnings():
        # Copies of one text are one cluster, so that there may be fewer than are asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=1, max_iter=_ROUNDS, random_state=seed).fit(
            vectors, sample_weight=weights
        )
    away = ((vectors - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    nearest = np.lexsort((away, found.labels_))
    _, first = np.unique(found.labels_[nearest], return_index=True)
    heaviest = np.argsort(-np.bincount(found.labels_, weights=weights, minlength=count))
    middles = dict(
        zip(found.labels_[nearest][first].tolist(), nearest[first].tolist(), strict=True)
    )
    return np.array([middles[cluster] for cluster in heaviest.tolist() if cluster in middles])
