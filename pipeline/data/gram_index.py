"""Which texts share a rare 5-gram, and so may be near copies: all pairs of texts that can be similar.

Two sets of sizes s and r have a Jaccard similarity of t only when they share c·(s + r) members, with
c = t/(1 + t). Where the first shared member, the rarest first, is the p-th of the one set, at most
s − p more are shared: so only the rarest members of each set need to be looked up, and each of them
says how large the other set may be (prefix filter and position filter: Chaudhuri, Ganti and Kaushik
2006; Bayardo, Ma and Srikant 2007; Xiao, Wang, Lin and Yu 2008).
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pipeline.data.gram_sets import Numbers, Rows

_ENTRY = np.dtype([("gram", np.uint32), ("row", np.uint32), ("place", np.uint32)])
_BAND_ENTRIES = 1 << 24
_MEMORY_BYTES = 1 << 28
_PAIRS = 1 << 20
_LONG_LIST = 256
_LARGEST = 2**31 - 1
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Entries:
    """Places of texts in an index, ordered by gram and then by the size of the text's set.

    keys: gram (32 bits), then size (32 bits); rows: the texts; reach: the largest set with which the
    text can be similar when this is the first gram that they share.
    """

    keys: Numbers
    rows: Rows
    reach: Rows

    @property
    def sizes(self) -> Rows:
        return (self.keys & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def part(self, places: slice | NDArray[np.bool_]) -> "Entries":
        """Some of the entries, in their order."""
        return Entries(self.keys[places], self.rows[places], self.reach[places])


class GramIndex:
    """The rarest grams of texts, in bands: each holds all texts of its grams and fits into memory.

    Large bands are temporary files.
    """

    def __init__(self, *, similarity: float, grams: int, files: ExitStack) -> None:
        """Take the least similarity, and about how many grams the texts have altogether."""
        self._similarity = similarity
        bands = 1 + math.floor(grams * (1 - similarity)) // _BAND_ENTRIES
        most = _MEMORY_BYTES // bands
        self._bands: list[IO[bytes]] = [
            files.enter_context(tempfile.SpooledTemporaryFile(most)) for _ in range(bands)
        ]

    def add(self, rows: Rows, grams: Numbers, counts: Rows) -> None:
        """Take the sets of these texts, as `gram_sets` gives them."""
        starts = np.cumsum(counts) - counts
        rarest = counts - np.ceil(self._similarity * counts - _SLACK).astype(np.int64) + 1
        ends = np.cumsum(rarest)
        places = np.arange(ends[-1]) - np.repeat(ends - rarest, rarest)
        mixed = grams[np.repeat(starts, rarest) + places] * np.uint64(0x9E3779B97F4A7C15)
        entries = np.empty(len(places), dtype=_ENTRY)
        entries["gram"] = mixed >> np.uint64(32)
        entries["row"] = np.repeat(rows, rarest)
        entries["place"] = places
        band = (mixed & np.uint64(0xFFFFFFFF)) % np.uint64(len(self._bands))
        for number, file in enumerate(self._bands):
            file.write(entries[band == number].tobytes())

    def bands(self, sizes: Rows) -> Iterator[Entries]:
        """The entries of one band after the other.

        Args:
            sizes: the size of the set of each text.
        """
        for file in self._bands:
            file.seek(0)
            yield self._sorted(np.frombuffer(file.read(), dtype=_ENTRY), sizes)

    def _sorted(self, entries: NDArray[np.void], sizes: Rows) -> Entries:
        keys = entries["gram"].astype(np.uint64) << np.uint64(32)
        keys |= sizes[entries["row"]].astype(np.uint64)
        order = np.argsort(keys)
        keys = keys[order]
        rows = entries["row"][order].astype(np.int64)
        own = sizes[rows]
        left = own - entries["place"][order]
        reach = np.floor(left * (1 + 1 / self._similarity) - own + _SLACK)
        return Entries(keys, rows, np.clip(reach, 0, _LARGEST).astype(np.int64))


def pairs_within(
    entries: Entries, clusters: Callable[[Rows], Rows]
) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of texts that share a gram and may be similar, many at a time, but none of one cluster.

    Texts next to each other come first: where all texts of a gram become one cluster by them, as
    those of a template do, no other pair of theirs needs to be looked at.

    Args:
        clusters: the cluster of each of some texts, as it is when it is asked.
    """

    entries = _of_several(entries)

    def apart(first: Rows, second: Rows) -> tuple[Rows, Rows]:
        fits = entries.sizes[first] <= entries.reach[second]
        one, other = entries.rows[first[fits]], entries.rows[second[fits]]
        differ = clusters(one) != clusters(other)
        return one[differ], other[differ]

    stops, counts = _larger(entries, entries, np.arange(1, len(entries.rows) + 1))
    for start in range(0, len(counts), _PAIRS):
        near = start + np.flatnonzero(counts[start : start + _PAIRS])
        yield apart(near, near + 1)
    _, lengths = _lists(entries)
    short = np.repeat(lengths <= _LONG_LIST, lengths)
    places = np.flatnonzero(short & (counts > 1))
    for first, second in _expanded(places, places + 2, counts[places] - 1):
        yield apart(first, second)
    for some in _long_lists(entries.part(~short)):
        yield from _pairs_of_long(some, clusters)


def pairs_between(first: Entries, second: Entries) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of a text of `first` and one of `second` that share a gram and may be similar."""
    for small, large, turned in ((first, second, False), (second, first, True)):
        starts = np.searchsorted(large.keys, small.keys, side="right" if turned else "left")
        _, counts = _larger(small, large, starts)
        places = np.flatnonzero(counts)
        for one, other in _expanded(places, starts[places], counts[places]):
            fits = small.sizes[one] <= large.reach[other]
            rows = small.rows[one[fits]], large.rows[other[fits]]
            yield rows[::-1] if turned else rows


def _larger(small: Entries, large: Entries, starts: Rows) -> tuple[Rows, Rows]:
    """Where the entries of `large` end that have an entry's gram and are in its reach; their count."""
    grams = small.keys & ~np.uint64(0xFFFFFFFF)
    stops = np.searchsorted(large.keys, grams | small.reach.astype(np.uint64), side="right")
    return stops, np.maximum(stops - starts, 0)


def _of_several(entries: Entries) -> Entries:
    """The entries whose gram another text has, too."""
    _, lengths = _lists(entries)
    return entries.part(np.repeat(lengths > 1, lengths))


def _lists(entries: Entries) -> tuple[Rows, Rows]:
    """Where the entries of each gram start, and how many they are."""
    grams = entries.keys >> np.uint64(32)
    starts = np.flatnonzero(np.append(True, grams[1:] != grams[:-1])[: len(grams)])
    return starts, np.diff(np.append(starts, len(grams)))


def _expanded(places: Rows, starts: Rows, counts: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Each place with every number from its start on, as many as its count says, in parts."""
    ends = np.cumsum(counts)
    done = 0
    while done < len(places):
        before = int(ends[done - 1]) if done else 0
        stop = max(int(np.searchsorted(ends, before + _PAIRS)), done + 1)
        some = counts[done:stop]
        shift = np.repeat(starts[done:stop] - (ends[done:stop] - some - before), some)
        yield np.repeat(places[done:stop], some), np.arange(len(shift)) + shift
        done = stop


def _long_lists(entries: Entries) -> Iterator[Entries]:
    """The entries of each gram, but not where another gram's lead to all of the same pairs.

    Texts of a template share its grams, and the rarest of these is enough.
    """
    starts, lengths = _lists(entries)
    lists = [
        entries.part(slice(start, start + length))
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    order = np.argsort(entries.rows)
    rows, owners = entries.rows[order], np.repeat(np.arange(len(lists)), lengths)[order]
    for number, some in enumerate(lists):
        first, last = some.rows[[0, -1]]
        both = np.intersect1d(
            *(owners[slice(*np.searchsorted(rows, (row, row + 1)))] for row in (first, last))
        )
        if not any(_leads_to_all(lists[other], some) for other in both if other != number):
            yield some


def _leads_to_all(entries: Entries, others: Entries) -> bool:
    """Whether the first have all texts of the second, and each reaches further."""
    if len(entries.rows) < len(others.rows):
        return False
    order = np.argsort(entries.rows)
    places = np.searchsorted(entries.rows, others.rows, sorter=order)
    found = order[np.minimum(places, len(order) - 1)]
    same = entries.rows[found] == others.rows
    return bool((same & (entries.reach[found] > others.reach)).all())


def _pairs_of_long(
    entries: Entries, clusters: Callable[[Rows], Rows]
) -> Iterator[tuple[Rows, Rows]]:
    """As `pairs_within`, for very many texts of one gram: the largest cluster is never compared with itself."""
    # Half as wide numbers take half the time.
    sizes, reach = entries.sizes.astype(np.int32), entries.reach.astype(np.int32)
    left = np.flatnonzero(reach >= sizes)
    while len(left):
        own = clusters(entries.rows).astype(np.int32)
        values, counts = np.unique(own, return_counts=True)
        outside = own != values[np.argmax(counts)]
        first = left[outside[left]]
        others = np.arange(len(own)) if len(first) else np.flatnonzero(outside)
        first = first if len(first) else left
        others = others[others > first[0]]
        if not len(others):
            return
        first = first[: max(_PAIRS // len(others), 1)]
        small, large = first[:, None], others
        fits = (small < large) & (sizes[large] <= reach[small]) & (sizes[small] <= reach[large])
        some, more = np.nonzero(fits & (own[small] != own[large]))
        yield entries.rows[first[some]], entries.rows[others[more]]
        left = left[~np.isin(left, first)]
