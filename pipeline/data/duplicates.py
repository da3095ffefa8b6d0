"""Finds texts that are nearly the same: their sets of character 5-grams are similar.

The result is exact, not sampled by hashes. Two sets can only reach a Jaccard similarity of t when
their rarest ⌊(1 − t)·size⌋ + 1 members share one (prefix filtering: Chaudhuri, Ganti and Kaushik
2006; Bayardo, Ma and Srikant 2007), so few pairs need to be compared in full.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import track

Key = TypeVar("Key", bound=Hashable)
Grams = NDArray[np.int64]

GRAM_CHARACTERS = 5


def groups(keys: Iterable[Key]) -> list[list[int]]:
    """Row numbers grouped by key, in the order in which the keys first appear."""
    found: dict[Key, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        found[key].append(row)
    return list(found.values())


def near_duplicates(
    texts: Sequence[str], *, similarity: float, together: Iterable[Sequence[int]] = ()
) -> list[int]:
    """The cluster of each text, named by the number of the cluster's first text.

    Two texts are of one cluster where a chain of texts leads from one to the other, each at least
    this similar to the next.

    Args:
        similarity: least Jaccard similarity of two sets of character 5-grams, 0 to 1; at 0, all
            texts are one cluster.
        together: groups of rows that are of one cluster whatever their texts are.
    """
    if similarity <= 0:
        return [0] * len(texts)
    grams = _rarest_first(texts)
    # Row → the rows of its cluster, as one list that they share. SciPy's DisjointSet is slower.
    clusters = [[row] for row in range(len(texts))]
    for first, *others in together:
        for row in others:
            _join(clusters, first, row)
    holders: dict[int, list[int]] = defaultdict(list)
    for row, members in enumerate(track(grams, "validate  near duplicates", len(grams))):
        prefix = members[: math.floor(len(members) * (1 - similarity) + 1e-9) + 1].tolist()
        for other in {other for gram in prefix for other in holders[gram]}:
            apart = clusters[row] is not clusters[other]
            if apart and _jaccard(members, grams[other], least=similarity) >= similarity:
                _join(clusters, row, other)
        for gram in prefix:
            holders[gram].append(row)
    firsts: dict[int, int] = {}
    return [firsts.setdefault(id(cluster), row) for row, cluster in enumerate(clusters)]


def _join(clusters: list[list[int]], row: int, other: int) -> None:
    small, large = sorted((clusters[row], clusters[other]), key=len)
    if small is not large:
        large += small
        for member in small:
            clusters[member] = large


def _rarest_first(texts: Sequence[str]) -> list[Grams]:
    """The distinct 5-grams of each text as numbers, those that fewest texts have first.

    A text shorter than that is its own only 5-gram.
    """
    sets = [
        {text[n : n + GRAM_CHARACTERS] for n in range(max(len(text) - GRAM_CHARACTERS, 0) + 1)}
        for text in texts
    ]
    counts = Counter(gram for grams in sets for gram in grams)
    rarest = sorted(counts, key=lambda gram: (counts[gram], gram))
    ranks = {gram: rank for rank, gram in enumerate(rarest)}
    return [np.array(sorted(ranks[gram] for gram in grams), dtype=np.int64) for grams in sets]


def _jaccard(first: Grams, second: Grams, *, least: float) -> float:
    """Jaccard similarity of two sorted sets, or 0 where their sizes alone keep it below `least`."""
    small, large = sorted((len(first), len(second)))
    if small < least * large:
        return 0.0
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (small + large - shared)


def near_pairs(
    texts: Sequence[str], others: Sequence[str], *, similarity: float
) -> list[tuple[int, int]]:
    """Pairs (row of `texts`, row of `others`) that are at least this similar, in order.

    Args:
        similarity: least Jaccard similarity of two sets of character 5-grams, above 0.
    """
    sought = [_grams(text) for text in others]
    counts = Counter(gram for grams in sought for gram in grams)
    holders: dict[str, list[int]] = defaultdict(list)
    for row, grams in enumerate(sought):
        rarest = sorted(grams, key=lambda gram: (counts[gram], gram))
        for gram in rarest[: math.floor(len(grams) * (1 - similarity) + 1e-9) + 1]:
            holders[gram].append(row)
    most = max(map(len, sought), default=0) / similarity + 1e-9
    pairs = []
    for row, text in enumerate(texts):
        # A beginning that has more than the most 5-grams spares the rest of a long text.
        if len(_grams(text[: 2 * math.ceil(most) + GRAM_CHARACTERS])) > most:
            continue
        grams = _grams(text)
        for other in sorted({other for gram in grams for other in holders.get(gram, ())}):
            shared = len(grams & sought[other])
            if shared >= similarity * (len(grams) + len(sought[other]) - shared):
                pairs.append((row, other))
    return pairs


def _grams(text: str) -> set[str]:
    starts = range(max(len(text) - GRAM_CHARACTERS, 0) + 1)
    return {text[start : start + GRAM_CHARACTERS] for start in starts}
