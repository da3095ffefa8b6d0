"""Finds texts that contain another text word for word: the check against leaks between data sets.

Runs of words are hashed (pipeline/text/word_runs.py) and looked up: first the first words of a text, then,
where those are found, the whole of it. Matches are then compared as strings, so a hash collision costs time
but never gives a wrong answer. Where a script has no blanks between words, each of its letters is taken for
a word. Memory holds some hashes a text that is sought, and a few megabytes of those that are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.word_counts import with_blanks, word_count
from pipeline.text.word_runs import Hashes, Places, WordRuns, chunks

# Texts that say less are common phrases ("highly engaging"); finding one elsewhere is not a leak.
LEAK_WORDS = 4
_FEWEST_FILTER_BITS, _MOST_FILTER_BITS = 16, 26


def containing(
    haystacks: Sequence[str], needles: Sequence[str], *, min_words: int = LEAK_WORDS
) -> list[tuple[int, int]]:
    """Pairs (haystack, needle) of indices where the one contains the other's words in a row.

    Args:
        haystacks: texts in the form of `bare_words`.
        needles: texts in the form of `bare_words`; empty ones and those that say less than `min_words`
            words (see `word_count`) are skipped.
    """
    # An empty text is in no other; one that says too little is taken for empty.
    sought = (with_blanks(text) if word_count(text) >= min_words else "" for text in needles)
    pairs = candidates(map(with_blanks, haystacks), sought)
    return [
        (row, needle)
        for row, needle in pairs
        if f" {with_blanks(needles[needle])} " in f" {with_blanks(haystacks[row])} "
    ]


def equal_pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indices of equal, non-empty texts, whatever their length."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(second):
        rows[text].append(row)
    return [(i, j) for i, text in enumerate(first) if text for j in rows.get(text, ())]


def candidates(haystacks: Iterable[str], needles: Iterable[str]) -> list[tuple[int, int]]:
    """Pairs (haystack, needle) of indices where the one has a run of words with the other's hash.

    Only these need to be compared. However many needles begin alike, few of them are not contained.

    Args:
        haystacks: texts with one space between words.
        needles: likewise; empty ones are skipped.
    """
    sought = _sought(needles)
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    start = 0
    for texts in chunks(haystacks) if len(sought.rows) else ():
        read = WordRuns(texts)
        for rows, found in _found(read, sought):
            pairs.append(np.stack([rows + start, found], axis=1))
        start += len(texts)
    return [(row, needle) for row, needle in np.unique(np.concatenate(pairs), axis=0).tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beginnings:
    """The first words of needles: each combination of them with a number of words once, by their hashes.

    Attributes:
        length: how many first words.
        firsts: their hashes, `(combinations,)`.
        words: words of the needles, `(combinations,)`.
        is_likely: whether a hash with these first bits may be among them; rules out most that are not.
    """

    length: int
    firsts: Hashes
    words: NDArray[np.int32]
    is_likely: NDArray[np.bool_]

    def among(self, hashes: Hashes) -> Places:
        """The places of those of the hashes that are among the first words, `(found,)`."""
        maybe = np.flatnonzero(self.is_likely[_first_bits(hashes, len(self.is_likely))])
        places = np.searchsorted(self.firsts, hashes[maybe])
        places = np.minimum(places, len(self.firsts) - 1)
        found: Places = maybe[self.firsts[places] == hashes[maybe]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sought:
    """Needles by the hashes of all their words.

    Attributes:
        wholes: the hashes, sorted, `(needles,)`.
        rows: the number of the needle of each, `(needles,)`.
        beginnings: for each length of beginnings.
    """

    wholes: Hashes
    rows: NDArray[np.uint32]
    beginnings: list[_Beginnings]


def _sought(needles: Iterable[str]) -> _Sought:
    """The needles that are not empty; they are read once."""
    rows, words = [np.zeros(0, dtype=np.uint32)], [np.zeros(0, dtype=np.int32)]
    firsts, wholes = ([np.zeros(0, dtype=np.uint64)] for _ in range(2))
    start = 0
    for texts in chunks(needles):
        numbers = [number for number, text in enumerate(texts, start) if text]
        start += len(texts)
        if numbers:
            runs = WordRuns([text for text in texts if text])
            rows.append(np.array(numbers, dtype=np.uint32))
            words.append(runs.counts.astype(np.int32))
            firsts.append(runs.hashes(runs.firsts, np.minimum(runs.counts, LEAK_WORDS)))
            wholes.append(runs.hashes(runs.firsts, runs.counts))
    all_words, all_firsts = np.concatenate(words), np.concatenate(firsts)
    lengths = np.minimum(all_words, LEAK_WORDS)
    beginnings = [
        _beginnings(length, all_firsts[lengths == length], all_words[lengths == length])
        for length in np.unique(lengths).tolist()
    ]
    all_wholes = np.concatenate(wholes)
    order = np.argsort(all_wholes, kind="stable")
    return _Sought(
        wholes=all_wholes[order], rows=np.concatenate(rows)[order], beginnings=beginnings
    )


def _beginnings(length: int, firsts: Hashes, words: NDArray[np.int32]) -> _Beginnings:
    order = np.lexsort((words, firsts))
    firsts, words = firsts[order], words[order]
    is_new = np.append(True, (firsts[1:] != firsts[:-1]) | (words[1:] != words[:-1]))
    firsts, words = firsts[is_new], words[is_new]
    bits = min(max(len(firsts).bit_length() + 3, _FEWEST_FILTER_BITS), _MOST_FILTER_BITS)
    is_likely = np.zeros(1 << bits, dtype=np.bool_)
    is_likely[_first_bits(firsts, len(is_likely))] = True
    return _Beginnings(length=length, firsts=firsts, words=words, is_likely=is_likely)


def _first_bits(hashes: Hashes, size: int) -> Places:
    """The first bits of each hash, as a place in a table of this size, which is a power of two."""
    return (hashes >> np.uint64(65 - size.bit_length())).astype(np.int64)


def _found(read: WordRuns, sought: _Sought) -> Iterator[tuple[Places, Places]]:
    """Pairs (text of `read`, needle): first by the first words, then by all."""
    for beginnings in sought.beginnings:
        length = np.int64(beginnings.length)
        places = read.places(beginnings.length)
        hashes = read.hashes(places, length)
        begun = beginnings.among(hashes)
        owners, which = _equal(hashes[begun], beginnings.firsts)
        places, words = places[begun][owners], beginnings.words[which].astype(np.int64)
        has_room = read.has_room(places, words)
        places, words = places[has_room], words[has_room]
        wholes = read.hashes(places, words)
        owners, which = _equal(wholes, sought.wholes)
        yield read.owners[places[owners]], sought.rows[which].astype(np.int64)


def _equal(hashes: Hashes, among: Hashes) -> tuple[Places, Places]:
    """The places of equal hashes in both, each pair of them once, `(pairs,)`.

    Args:
        among: sorted hashes, in which one may be there several times.
    """
    starts = np.searchsorted(among, hashes, side="left")
    counts = np.searchsorted(among, hashes, side="right") - starts
    owners = np.repeat(np.arange(len(hashes)), counts)
    before = np.cumsum(counts) - counts
    return owners, np.arange(len(owners)) - np.repeat(before - starts, counts)
