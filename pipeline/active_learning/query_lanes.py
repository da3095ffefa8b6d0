"""Deals unlabelled rows to the lanes of the queue: those a model is unsure of, and those unlike all others."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.active_learning.query_strategies import (
    Order,
    Vectors,
    margins,
    unlike_each_other,
    unsure_and_unlike,
)
from pipeline.active_learning.relabel_rows import ERROR, SUSPECT

UNCERTAIN, DIVERSE = "uncertain", "diverse"
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {UNCERTAIN: 0.6, DIVERSE: 0.2, SUSPECT: 0.05, ERROR: 0.05}
)
"""Lane → its share of what people are given, beside the random share; an empty lane leaves its to the others."""
MOST_IN_LANE = 1_000
"""Rows of a lane at most: it has to last until rows are scored anew."""
_FIRST = 100
"""Clusters from which the first labels come, at least."""
_BATCH_SHARE = 0.1
_LEAST_BATCH = 40


def query_lanes(
    open_vectors: Vectors,
    labelled_vectors: Vectors,
    probabilities: NDArray[np.floating] | None,
    *,
    exclusive: bool,
    seed: int,
) -> dict[str, Order]:
    """Lane → numbers of unlabelled rows, the first one first; a row is in one lane.

    Before a model has learned, all are in the lane of rows unlike each other.

    Args:
        open_vectors: embeddings of the unlabelled rows, `(rows, width)`.
        labelled_vectors: those of the labelled ones.
        probabilities: of the unlabelled rows, `(rows, labels)`; None before a model has learned.
        exclusive: whether a row has one label.
    """
    if not len(open_vectors):
        return {}
    if probabilities is None:
        return {DIVERSE: unlike_each_other(open_vectors, _FIRST, seed=seed)}
    batch = max(_LEAST_BATCH, round(_BATCH_SHARE * len(labelled_vectors)))
    margin = margins(probabilities, exclusive=exclusive)
    first = unsure_and_unlike(margin, open_vectors, batch, seed=seed)
    ordered = np.argsort(margin, kind="stable")
    others = ordered[~np.isin(ordered, first)]
    return {UNCERTAIN: np.concatenate([first, others])[:MOST_IN_LANE]}
