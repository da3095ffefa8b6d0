"""Finds the pairs of texts that can be similar: they share a key, and each is within the other's reach.

A key that two texts share says how large the other set may be: at most those grams are shared that are
not lost before the key (position filter: Bayardo, Ma and Srikant 2007; Xiao, Wang, Lin and Yu 2008).
"""

from collections.abc import Callable, Iterator

import numpy as np

from pipeline.core.progress import Progress
from pipeline.data.gram_index import SIZE_BITS, Entries
from pipeline.data.text_characters import Rows

_PAIRS_AT_ONCE = 1 << 20
_MANY_TEXTS = 256


def pairs_within(entries: Entries, clusters: Callable[[Rows], Rows]) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of texts of different clusters that share a key and can be similar, many at a time.

    Texts next to each other come first: where these make one cluster of all texts of a gram, as they
    do for rows of a template, no other pair of them is looked at.

    Args:
        clusters: gives the cluster of each of some rows as it is when it is asked.
    """
    _, lengths = _lists(entries)
    entries = entries.part(np.repeat(lengths > 1, lengths))
    _, lengths = _lists(entries)
    progress, done = Progress("validate  comparing near duplicates", len(entries.rows)), 0

    def apart(first: Rows, second: Rows) -> tuple[Rows, Rows]:
        fits = entries.sizes(first) <= entries.reach[second]
        one, other = entries.rows[first[fits]], entries.rows[second[fits]]
        differ = clusters(one) != clusters(other)
        return one[differ], other[differ]

    counts = _larger(entries, entries, np.arange(1, len(entries.rows) + 1))
    for start in range(0, len(counts), _PAIRS_AT_ONCE):
        near = start + np.flatnonzero(counts[start : start + _PAIRS_AT_ONCE])
        yield apart(near, near + 1)
    few = np.repeat(lengths <= _MANY_TEXTS, lengths)
    places = np.flatnonzero(few & (counts > 1))
    for first, second in _expanded(places, places + 2, counts[places] - 1):
        yield apart(first, second)
        progress.update(int(first[-1]) * int(few.sum()) // len(few))
    done = int(few.sum())
    for texts in _lists_of_many(entries.part(~few), clusters):
        for pairs in _pairs_of_many(texts, clusters):
            yield pairs
            progress.update(done)
        done += len(texts.rows)
    progress.update(len(entries.rows))


def pairs_between(first: Entries, second: Entries) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of a text of `first` and one of `second` that share a key and can be similar."""
    for small, large, turned in ((first, second, False), (second, first, True)):
        # Sets of one size are met once: when `first` has the smaller one.
        starts = np.searchsorted(large.keys, small.keys, side="right" if turned else "left")
        counts = _larger(small, large, starts)
        places = np.flatnonzero(counts)
        for one, other in _expanded(places, starts[places], counts[places]):
            fits = small.sizes(one) <= large.reach[other]
            rows = small.rows[one[fits]], large.rows[other[fits]]
            yield rows[::-1] if turned else rows


def _larger(small: Entries, large: Entries, starts: Rows) -> Rows:
    """How many entries of `large`, from a start on, have an entry's gram and are within its reach."""
    reached = (small.keys & ~SIZE_BITS) | small.reach.astype(np.uint64)
    counts: Rows = np.maximum(np.searchsorted(large.keys, reached, side="right") - starts, 0)
    return counts


def _lists(entries: Entries) -> tuple[Rows, Rows]:
    """Where the entries of each gram start, and how many they are."""
    grams = entries.keys >> np.uint64(32)
    starts = np.flatnonzero(np.append(True, grams[1:] != grams[:-1])[: len(grams)])
    return starts, np.diff(np.append(starts, len(grams)))


def _expanded(places: Rows, starts: Rows, counts: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Each place with as many numbers as its count says, counted from its start, in parts."""
    ends = np.cumsum(counts)
    done = 0
    while done < len(places):
        before = int(ends[done - 1]) if done else 0
        stop = max(int(np.searchsorted(ends, before + _PAIRS_AT_ONCE)), done + 1)
        some = counts[done:stop]
        shift = np.repeat(starts[done:stop] - (ends[done:stop] - some - before), some)
        yield np.repeat(places[done:stop], some), np.arange(len(shift)) + shift
        done = stop


def _lists_of_many(entries: Entries, clusters: Callable[[Rows], Rows]) -> Iterator[Entries]:
    """The entries of each gram, but not where they are of one cluster or another gram has all pairs.

    Texts of a template share all of its grams, and the rarest of these is enough.
    """
    starts, lengths = _lists(entries)
    lists = [
        entries.part(slice(start, start + length))
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    order = np.argsort(entries.rows)
    rows, owners = entries.rows[order], np.repeat(np.arange(len(lists)), lengths)[order]
    for number, texts in enumerate(lists):
        own = clusters(texts.rows)
        if (own == own[0]).all():
            continue
        first, last = (
            owners[slice(*np.searchsorted(rows, (row, row + 1)))] for row in texts.rows[[0, -1]]
        )
        both = np.intersect1d(first, last)
        if not any(_leads_to_all(lists[other], texts) for other in both if other != number):
            yield texts


def _leads_to_all(entries: Entries, others: Entries) -> bool:
    """Whether the first hold every text of the second, each with a larger reach."""
    if len(entries.rows) < len(others.rows):
        return False
    order = np.argsort(entries.rows)
    places = np.searchsorted(entries.rows, others.rows, sorter=order)
    found = order[np.minimum(places, len(order) - 1)]
    same = entries.rows[found] == others.rows
    return bool((same & (entries.reach[found] > others.reach)).all())


def _pairs_of_many(
    entries: Entries, clusters: Callable[[Rows], Rows]
) -> Iterator[tuple[Rows, Rows]]:
    """Pairs as of `pairs_within` for very many texts of one gram.

    Texts outside of the largest cluster are compared with all others, until none is outside.
    """
    # Half as wide numbers take half the time.
    sizes, reach = entries.sizes(slice(None)).astype(np.int32), entries.reach.astype(np.int32)
    left = np.flatnonzero(reach >= sizes)
    while len(left):
        own = clusters(entries.rows).astype(np.int32)
        values, counts = np.unique(own, return_counts=True)
        outside = own != values[np.argmax(counts)]
        first = left[outside[left]]
        others = np.arange(len(own)) if len(first) else np.flatnonzero(outside)
        first = first if len(first) else left
        others = others[others > first[0]]
        first = first[: max(_PAIRS_AT_ONCE // max(len(others), 1), 1)]
        small, large = first[:, None], others
        fits = (small < large) & (sizes[large] <= reach[small]) & (sizes[small] <= reach[large])
        one, other = np.nonzero(fits & (own[small] != own[large]))
        yield entries.rows[first[one]], entries.rows[others[other]]
        left = left[~np.isin(left, first)]
