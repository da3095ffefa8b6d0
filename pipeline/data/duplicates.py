"""Finds texts that are nearly the same: their sets of grams are similar.

The result is exact, not a sample: an index of rare grams and sketches of all grams rule out nearly
all pairs, each by a bound that holds for any two sets, and what is left is compared in full. (What
a gram is, and what is risked by comparing 58-bit hashes of them, says pipeline/data/gram_sets.py.)
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from contextlib import ExitStack
from itertools import product
from typing import TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.data.compared_texts import ComparedTexts
from pipeline.data.gram_pairs import pairs_between, pairs_within
from pipeline.data.text_characters import Rows, Texts

Key = TypeVar("Key", bound=Hashable)


def groups(keys: Iterable[Key]) -> list[list[int]]:
    """Row numbers grouped by key, in the order in which the keys first appear."""
    found: dict[Key, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        found[key].append(row)
    return list(found.values())


def near_duplicates(
    texts: Sequence[str], *, similarity: float, together: Iterable[Sequence[int]] = ()
) -> list[int]:
    """The cluster of each text as a list; see `near_clusters`, which takes less memory."""
    names: list[int] = near_clusters(texts, similarity=similarity, together=together).tolist()
    return names


def near_clusters(
    texts: Sequence[str], *, similarity: float, together: Iterable[Sequence[int]] = ()
) -> Rows:
    """The cluster of each text, named by the number of the cluster's first text, `(texts,)`.

    Two texts are of one cluster where a chain of texts leads from one to the other, each at least
    this similar to the next.

    Args:
        texts: a list, or a `TextSequence`, which takes less memory.
        similarity: least Jaccard similarity of two sets of grams, 0 to 1; at 0, all texts are one
            cluster.
        together: groups of rows that are of one cluster whatever their texts are.
    """
    if similarity <= 0:
        return np.zeros(len(texts), dtype=np.int64)
    clusters = _Clusters(len(texts))
    known = [(first, other) for first, *others in together for other in others]
    clusters.join(*np.array(known, dtype=np.int64).reshape(-1, 2).T)
    with ExitStack() as files:
        compared = ComparedTexts(Texts(texts), similarity=similarity)
        index = compared.index(range(len(texts)), files)
        found = (
            pairs
            for entries in index.bands(compared.sizes, alone=False)
            for pairs in pairs_within(entries, clusters.of)
        )
        for first, second in compared.likely(found):
            apart = clusters.of(first) != clusters.of(second)
            clusters.join(*compared.similar(first[apart], second[apart]))
    return clusters.of(np.arange(len(texts)))


def near_pairs(
    texts: Sequence[str], others: Sequence[str], *, similarity: float
) -> list[tuple[int, int]]:
    """Pairs (row of `texts`, row of `others`) of texts that are at least this similar, in order.

    Args:
        similarity: least Jaccard similarity of two sets of grams, 0 to 1; at 0, all pairs are similar.
    """
    if similarity <= 0 or not len(texts) or not len(others):
        return list(product(range(len(texts)), range(len(others))))
    count = len(texts)
    pairs: set[tuple[int, int]] = set()
    with ExitStack() as files:
        compared = ComparedTexts(Texts(texts, others), similarity=similarity)
        index = compared.index(range(count), files)
        sizes = compared.sizes[:count]
        other = compared.index(
            range(count, count + len(others)), files, smallest=sizes.min(), largest=sizes.max()
        )
        both = (some.bands(compared.sizes, alone=True) for some in (index, other))
        found = (pairs for bands in zip(*both, strict=True) for pairs in pairs_between(*bands))
        for first, second in compared.likely(found):
            one, two = compared.similar(first, second)
            pairs.update(zip(one.tolist(), (two - count).tolist(), strict=True))
    return sorted(pairs)


class _Clusters:
    """Rows in clusters, each named by its first row."""

    def __init__(self, rows: int) -> None:
        self._earlier = np.arange(rows)

    def of(self, rows: Rows) -> Rows:
        """The cluster of each of the rows."""
        names: Rows = self._earlier[rows]
        while (names != (further := self._earlier[names])).any():
            names = further
        self._earlier[rows] = names
        return names

    def join(self, first: Rows, second: Rows) -> None:
        """Makes one cluster of the clusters of each pair of rows."""
        names, places = np.unique(self.of(np.concatenate([first, second])), return_inverse=True)
        ends = places[: len(first)], places[len(first) :]
        graph = coo_array((np.ones(len(first)), ends), shape=(len(names), len(names)))
        _, parts = connected_components(graph, directed=False)
        # The names are sorted, so the first of a part is its smallest.
        _, smallest = np.unique(parts, return_index=True)
        self._earlier[names] = names[smallest[parts]]
