"""Keys of sets of a high similarity: parts of a set, a few grams each.

Two sets of sizes s and r have a Jaccard similarity of t only when at most h = d·(s + r) grams are in
one of them alone, with d = (1 − t)/(1 + t).

A hash deals all grams to p > h parts. Of two similar sets at most h parts differ (Arasu, Ganti and
Kaushik 2006), so one of the h + 1 rarest parts of each is the same in both (prefix filter: Chaudhuri,
Ganti and Kaushik 2006): these are its keys. Very many short texts have a rare gram in common, and few a
part of two or three grams. Because p is larger than h + 1, parts of a single common gram are no keys.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.gram_sets import Numbers, rarity
from pipeline.data.text_characters import Rows

Levels = NDArray[np.uint8]

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_HALF_BITS, _HASH_BITS = np.uint64(32), np.uint64(41)
# Rounding of a bound must not rule out a pair that is just similar enough.
_SLACK = 1e-6
_SPARE_PARTS, _FEWEST_SPARE_PARTS = 0.3, 4
_FIRST_END = 3
_LEVEL_BITS = 22
# More than the numbers of most parts.
_LEVEL = 2.0**56


def part_keys(
    grams: Numbers, sizes: Rows, similarity: float, levels: Levels
) -> Iterator[tuple[Numbers, Rows, Rows]]:
    """Yields hashes of keys, the number of each one's text, and how many rarer parts the text has.

    Args:
        grams, sizes: as `gram_sets` gives them.
        levels: as `part_levels` gives them, the same for all texts; of one number, no part is common.
    """
    for rows, counts, end, sums in _parts(grams, sizes, similarity):
        table = sums + levels[_places(sums, end, len(levels))] * _LEVEL if len(levels) > 1 else sums
        table.sort(axis=1)
        keyed = np.arange(table.shape[1]) < counts[:, None]
        hashes = _mixed(table[keyed].view(np.uint64) + np.uint64(end))
        yield hashes, np.repeat(rows, counts), np.nonzero(keyed)[1]


def part_levels(sets: Iterable[tuple[Numbers, Rows]], similarity: float) -> Levels:
    """How common the parts with each beginning of a hash are among some sets: 0 for the rarest.

    It decides which parts are keys, so how fast copies are found, and never which.

    Args:
        sets: as `gram_sets` gives them, in parts.
    """
    size = 1 << _LEVEL_BITS
    counts = np.zeros(size, dtype=np.int64)
    waiting: list[Rows] = []
    for grams, numbers in sets:
        for _, _, end, sums in _parts(grams, numbers, similarity):
            waiting.append(_places(sums, end, size).ravel())
        if sum(map(len, waiting)) > size:
            counts += np.bincount(np.concatenate(waiting), minlength=size)
            waiting.clear()
    if waiting:
        counts += np.bincount(np.concatenate(waiting), minlength=size)
    # A place has some parts by chance: they do not make it a common one.
    levels = 2 * np.log2((np.arange(counts.max() + 1) + 1) / (counts.mean() + 1))
    found: Levels = np.maximum(levels, 0).astype(np.uint8)[counts]
    return found


def most_apart(total: Rows, similarity: float) -> Rows:
    """How many grams are in one of two similar sets alone, at most, of so many in both together."""
    share = (1 - similarity) / (1 + similarity)
    apart: Rows = np.floor(total * share + _SLACK).astype(np.int64)
    return apart


def _part_count(most_apart: int) -> int:
    """How many parts there are where so many differ at most: with none, a set is one part."""
    if not most_apart:
        return 1
    return 1 + most_apart + max(math.ceil(_SPARE_PARTS * most_apart), _FEWEST_SPARE_PARTS)


def _parts(
    grams: Numbers, sizes: Rows, similarity: float
) -> Iterator[tuple[Rows, Rows, int, NDArray[np.float64]]]:
    """Yields for one range of sizes after the other its texts, how many keys each has, its end, and the parts.

    A pair of texts is found in the range of its larger set, which decides how many parts there are.
    """
    largest = np.floor(sizes / similarity + _SLACK).astype(np.int64)
    first, end = 0, _FIRST_END
    while first <= largest.max(initial=-1):
        has = (sizes < end) & (largest >= first)
        if has.any():
            rows = np.flatnonzero(has)
            own, others = sizes[rows], np.minimum(largest[rows], end - 1)
            counts = most_apart(own + others, similarity) + 1
            most = int(most_apart(np.array(2 * end - 2), similarity))
            some = grams if has.all() else grams[np.repeat(has, sizes)]
            yield rows, counts, end, _sums(some, own, parts=_part_count(most))
        first, end = end, 2 * end


def _sums(grams: Numbers, sizes: Rows, *, parts: int) -> NDArray[np.float64]:
    """A number for each part of each set, `(texts, parts)`: equal parts have equal ones.

    It is the sum of the grams' hashes and squares of their rarity, negated, so small for rare parts. (Grams of one word
    come together, so a sum of their rarity says too much for parts of many grams.)
    """
    mixed = _mixed(grams)
    places = ((mixed >> _HALF_BITS) * np.uint64(parts) >> _HALF_BITS).astype(np.int64)
    places += np.repeat(np.arange(len(sizes)) * parts, sizes)
    mixed &= (np.uint64(1) << _HASH_BITS) - np.uint64(1)
    rare = rarity(grams)
    mixed |= rare * rare << _HASH_BITS
    # Grams are sorted, so two equal parts are added up in one order, with one rounding.
    weights = mixed.astype(np.float64)
    # NumPy's stubs know of counts alone, not of sums.
    sums = np.bincount(places, weights, len(sizes) * parts).astype(np.float64, copy=False)
    table: NDArray[np.float64] = -sums.reshape(len(sizes), parts)
    return table


def _places(sums: NDArray[np.float64], end: int, count: int) -> Rows:
    """The place of each part in a table of so many, a power of two."""
    places = sums.view(np.uint64) * (_MIXER + np.uint64(2 * end))
    places >>= np.uint64(65 - count.bit_length())
    return places.view(np.int64)


def _mixed(grams: Numbers) -> Numbers:
    mixed = grams * _MIXER
    mixed ^= mixed >> _HALF_BITS
    mixed *= _MIXER
    mixed ^= mixed >> np.uint64(29)
    return mixed
