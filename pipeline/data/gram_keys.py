"""Keys under which texts are looked up: rare grams, or two or three of them together.

Two sets of sizes s and r have a Jaccard similarity of t only when they share c·(s + r) members, with
c = t/(1 + t), so t times the larger size. Their first k shared members, the rarest first, are then among
the s − ⌈t·s⌉ + k rarest of each (prefix filter: Chaudhuri, Ganti and Kaushik 2006; with more than one
member: Wang, Li and Feng 2012).

With k = 1, a key is a rare gram. In a large collection of short texts even the rarest gram of a text is
one of very many texts. So the grams are dealt to c classes by a hash, and of k = c·(m − 1) + 1 shared
grams, m are of one class: there a key is m grams of one class. More classes need more grams, but far
fewer keys than all sets of m grams.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.data.gram_sets import Numbers
from pipeline.data.text_characters import Rows

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_CLASS_BITS = np.uint64(16)
# Rounding of a bound must not rule out a pair that is just similar enough.
_SLACK = 1e-6
_EVERY_SIZE = 2**31


@dataclass(frozen=True, slots=True)
class Scheme:
    """How many grams are a key, and of how many classes of grams they are.

    fewest_rows: of fewer texts, the keys cost more than they save.
    most: how many of a text's grams k = 1 would look up at most: of a longer text, too many keys.
    """

    together: int
    classes: int
    fewest_rows: int
    most: int

    @property
    def shared(self) -> int:
        """How many grams two texts have to share so that they have a key in common."""
        return self.classes * (self.together - 1) + 1


_SINGLE = Scheme(together=1, classes=1, fewest_rows=0, most=0)
_COMBINED = (
    Scheme(together=2, classes=5, fewest_rows=150_000, most=80),
    Scheme(together=3, classes=6, fewest_rows=600_000, most=20),
)


@dataclass(frozen=True, slots=True)
class Range:
    """The scheme of pairs of texts the larger of which has so many grams, `first` to `end` − 1."""

    first: int
    end: int
    scheme: Scheme


def ranges(rows: int, similarity: float) -> list[Range]:
    """The scheme of every size of the larger text of a pair, for so many texts."""
    found = [Range(0, _EVERY_SIZE, _SINGLE)]
    for scheme in _COMBINED:
        if rows >= scheme.fewest_rows:
            first = math.ceil(scheme.shared / similarity)
            end = math.ceil(scheme.most / max(1 - similarity, _SLACK))
            found = [part for old in found for part in _over(old, Range(first, end, scheme))]
    return found


def _over(old: Range, new: Range) -> Iterator[Range]:
    """The parts of the old range before, within and after the new one."""
    first, end = max(old.first, new.first), min(old.end, new.end)
    if first >= end:
        yield old
        return
    parts = (
        Range(old.first, first, old.scheme),
        Range(first, end, new.scheme),
        Range(end, old.end, old.scheme),
    )
    yield from (part for part in parts if part.first < part.end)


def keys(
    grams: Numbers, sizes: Rows, similarity: float, chosen: list[Range]
) -> Iterator[tuple[Numbers, Rows, Rows]]:
    """Yields hashes of keys, the number of each one's text, and how many grams it has lost before.

    After a key that two texts share, they can share as many grams as the text has, but for those lost.

    Args:
        grams, sizes: as `gram_sets` gives them.
        chosen: as `ranges` gives them.
    """
    starts = np.cumsum(sizes) - sizes
    largest = np.floor(sizes / similarity + _SLACK).astype(np.int64)
    for scheme in dict.fromkeys(part.scheme for part in chosen):
        has = np.zeros(len(sizes), dtype=np.bool_)
        for part in chosen:
            if part.scheme == scheme:
                has |= (sizes < part.end) & (largest >= part.first)
        rows = np.flatnonzero(has)
        needed = np.ceil(similarity * sizes[rows] - _SLACK).astype(np.int64)
        rarest = np.minimum(sizes[rows] - needed + scheme.shared, sizes[rows])
        before = np.cumsum(rarest) - rarest
        places = np.arange(rarest.sum()) - np.repeat(before, rarest)
        owners = np.repeat(rows, rarest)
        mixed = grams[np.repeat(starts[rows], rarest) + places] * _MIXER
        mixed ^= mixed >> np.uint64(32)
        if scheme.together == 1:
            yield mixed * _MIXER, owners, places
        else:
            hashes, last = _combined(mixed, owners, scheme)
            yield hashes, owners[last], np.maximum(places[last] - scheme.shared + 1, 0)


def _combined(mixed: Numbers, owners: Rows, scheme: Scheme) -> tuple[Numbers, Rows]:
    """The hash of every set of grams of a text and class, and where the last gram of each set is."""
    classes = ((mixed & np.uint64(0xFFFF)) * np.uint64(scheme.classes)) >> _CLASS_BITS
    groups = owners * scheme.classes + classes.astype(np.int64)
    order = np.argsort(groups, kind="stable")
    mixed, groups = mixed[order], groups[order]
    places = np.arange(len(groups))
    after = np.searchsorted(groups, groups, side="right") - places - 1
    hashes, last = mixed, places
    for _ in range(scheme.together - 1):
        counts = after[last]
        starts = np.cumsum(counts) - counts
        hashes = np.repeat((hashes ^ (hashes >> np.uint64(29))) * _MIXER, counts)
        last = np.repeat(last + 1 - starts, counts) + np.arange(len(hashes))
        hashes += mixed[last]
    return hashes * _MIXER, order[last]


def keys_a_character(similarity: float, chosen: list[Range]) -> float:
    """About how many keys there are for each character of texts of which most are of one length."""
    # Short texts of 60 characters have two to three times as many pairs as single grams, and five as triples.
    times = {1: 1.0, 2: 2.5, 3: 5.0}
    return (1 - similarity) * max(times[part.scheme.together] for part in chosen)
