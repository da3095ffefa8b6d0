"""Copies among texts: exact ones by their bare words, near ones by character 5-grams.

Near copies are found exactly, not by sampled hashes. Two sets can only reach a Jaccard similarity
of t when their rarest ⌊(1 − t)·size⌋ + 1 members share one (prefix filtering: Chaudhuri, Ganti and
Kaushik 2006; Bayardo, Ma and Srikant 2007), so few pairs need to be compared in full.
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
    """Row numbers that share a key, in the order of first appearance."""
    found: dict[Key, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        found[key].append(row)
    return list(found.values())


def near_duplicates(
    texts: Sequence[str], *, similarity: float, together: Iterable[Sequence[int]] = ()
) -> list[int]:
    """For each text, the number of the first text of its cluster.

    Clusters are the connected components of pairs whose sets of character 5-grams have at least
    this Jaccard similarity (at 0, all texts are one cluster).

    Args:
        together: rows that are of one cluster whatever their texts are.
    """
    if similarity <= 0:
        return [0] * len(texts)
    grams = _rarest_first(texts)
    parents = list(range(len(texts)))
    for first, *others in together:
        for row in others:
            _join(parents, first, row)
    holders: dict[int, list[int]] = defaultdict(list)
    for row, members in enumerate(track(grams, "validate  near duplicates", len(grams))):
        prefix = members[: math.floor(len(members) * (1 - similarity) + 1e-9) + 1].tolist()
        for other in dict.fromkeys(other for gram in prefix for other in holders[gram]):
            apart = _root(parents, row) != _root(parents, other)
            if apart and _jaccard(members, grams[other], similarity) >= similarity:
                _join(parents, row, other)
        for gram in prefix:
            holders[gram].append(row)
    return [_root(parents, row) for row in range(len(texts))]


def _rarest_first(texts: Sequence[str]) -> list[Grams]:
    """Each text's distinct 5-grams as numbers, the rarest of all texts first."""
    sets = [_grams(text) for text in texts]
    counts = Counter(gram for grams in sets for gram in grams)
    rarest = sorted(counts, key=lambda gram: (counts[gram], gram))
    ranks = {gram: rank for rank, gram in enumerate(rarest)}
    return [np.array(sorted(ranks[gram] for gram in grams), dtype=np.int64) for grams in sets]


def _grams(text: str) -> set[str]:
    """The character 5-grams of a text; a shorter text is its own only gram."""
    last = max(len(text) - GRAM_CHARACTERS, 0)
    return {text[start : start + GRAM_CHARACTERS] for start in range(last + 1)}


def _jaccard(first: Grams, second: Grams, least: float) -> float:
    """Jaccard similarity of two sorted sets; 0 where their sizes alone keep it under `least`."""
    small, large = sorted((len(first), len(second)))
    if small < least * large:
        return 0.0
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (small + large - shared)


def _join(parents: list[int], row: int, other: int) -> None:
    """The first row of a cluster stands for it."""
    first, second = sorted((_root(parents, row), _root(parents, other)))
    parents[second] = first


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row
