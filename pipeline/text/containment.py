"""Finds texts that contain another text word for word: the check against leaks between data sets.

Runs of words are hashed (a vectorised 64-bit polynomial hash) and looked up: first the first words of
a text, then, where those are found, the whole of it. Matches are then compared as strings, so a hash
collision costs time but never gives a wrong answer. Where a script has no blanks between words, each
of its letters is taken for a word.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.text.word_counts import with_blanks, word_count

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

# Texts that say less are common phrases ("highly engaging"); finding one elsewhere is not a leak.
LEAK_WORDS = 4
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0xD6E8FEB86659FD93
_INVERSE = pow(_BASE, -1, 1 << 64)
_FILTER_BITS = 22
_CHUNK_WORDS = 4_000_000


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
    sought = [with_blanks(text) if word_count(text) >= min_words else "" for text in needles]
    read = [with_blanks(text) for text in haystacks]
    pairs = candidates(read, sought)
    return [(row, needle) for row, needle in pairs if f" {sought[needle]} " in f" {read[row]} "]


def equal_pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indices of equal, non-empty texts, whatever their length."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(second):
        rows[text].append(row)
    return [(i, j) for i, text in enumerate(first) if text for j in rows.get(text, ())]


def candidates(haystacks: Sequence[str], needles: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs (haystack, needle) of indices where the one has a run of words with the other's hash.

    Only these need to be compared. However many needles begin alike, few of them are not contained.

    Args:
        haystacks: texts with one space between words.
        needles: likewise; empty ones are skipped.
    """
    most = max((text.count(" ") + 1 for text in haystacks), default=0)
    by_first_words: dict[int, list[int]] = defaultdict(list)
    for row, needle in enumerate(needles):
        if needle and (words := needle.count(" ") + 1) <= most:
            by_first_words[min(words, LEAK_WORDS)].append(row)
    pairs: set[tuple[int, int]] = set()
    for words, rows in by_first_words.items():
        texts = [needles[row] for row in rows]
        numbers = _numbers(texts)
        sought = _Runs.of(texts, numbers)
        for chunk in _chunks(haystacks):
            read = _Runs.of(haystacks[chunk.start : chunk.stop], numbers)
            pairs |= {(chunk[row], rows[needle]) for row, needle in _pairs(read, sought, words)}
    return sorted(pairs)


def _chunks(texts: Sequence[str]) -> Iterator[range]:
    """Ranges of rows with a bounded number of words, to bound memory."""
    start, words = 0, 0
    for row, text in enumerate(texts):
        words += text.count(" ") + 2
        if words >= _CHUNK_WORDS:
            yield range(start, row + 1)
            start, words = row + 1, 0
    yield range(start, len(texts))


def _numbers(texts: Sequence[str]) -> dict[str, int]:
    """The words of all texts, numbered from 2."""
    words = sorted({word for text in texts for word in text.split(" ")})
    return {word: number for number, word in enumerate(words, start=2)}


class _Runs:
    """The words of some texts in a row, with the hash of any run of them.

    Attributes:
        starts: where each text begins, `(texts,)`; between two texts is a place without a word.
        lengths: words of each text, `(texts,)`.
    """

    def __init__(self, tokens: Hashes, lengths: Places) -> None:
        self.lengths, self.starts = lengths, np.cumsum(lengths + 1) - lengths - 1
        self._end = len(tokens)
        self._inverses = _powers(_INVERSE, len(tokens))
        # Sums of tokens[i] · base^i up to each place; arithmetic wraps at 2⁶⁴.
        self._sums = np.zeros(len(tokens) + 1, dtype=np.uint64)
        np.cumsum(tokens * _powers(_BASE, len(tokens)), out=self._sums[1:])

    @classmethod
    def of(cls, texts: Sequence[str], numbers: Mapping[str, int]) -> Self:
        """The texts, of which words without a number are all the same to it."""
        values: list[int] = []
        for text in texts:
            values += [numbers.get(word, 1) for word in text.split(" ")]
            values.append(0)
        lengths = np.array([text.count(" ") + 1 for text in texts], dtype=np.int64)
        return cls(np.array(values, dtype=np.uint64) * _MULTIPLIER, lengths)

    def places(self, words: int) -> Places:
        """Every place where a run of so many words can begin."""
        return np.arange(max(self._end + 1 - words, 0), dtype=np.int64)

    def with_room(self, places: Places, words: int) -> Places:
        """The places among these where a run of so many words can begin."""
        return places[places <= self._end - words]

    def hashes(self, places: Places, words: Places | int) -> Hashes:
        """The hashes of the runs of so many words that begin at the places, `(places,)`."""
        found: Hashes = (self._sums[places + words] - self._sums[places]) * self._inverses[places]
        return found

    def texts_at(self, places: Places) -> Places:
        """The numbers of the texts that the places are in, `(places,)`."""
        return np.searchsorted(self.starts, places, side="right") - 1


def _powers(base: int, count: int) -> Hashes:
    """base⁰, base¹, … modulo 2⁶⁴, `(count,)`."""
    powers = np.full(count, base, dtype=np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)


def _pairs(read: _Runs, sought: _Runs, words: int) -> Iterator[tuple[int, int]]:
    """Pairs (text of `read`, text of `sought`): first by the first `words` words, then by all."""
    firsts = sought.hashes(sought.starts, words)
    places = read.places(words)
    found = read.hashes(places, words)
    places = _among(found, np.unique(firsts))
    found = found[places]
    for length in np.unique(sought.lengths).tolist():
        rows = np.flatnonzero(sought.lengths == length)
        same: dict[int, list[int]] = defaultdict(list)
        wholes = sought.hashes(sought.starts[rows], length)
        for row, whole in zip(rows.tolist(), wholes.tolist(), strict=True):
            same[whole].append(row)
        begun = read.with_room(places[np.isin(found, firsts[rows])], length)
        runs = read.hashes(begun, length)
        for text, run in zip(read.texts_at(begun).tolist(), runs.tolist(), strict=True):
            for row in same.get(run, ()):
                yield text, row


def _among(hashes: Hashes, wanted: Hashes) -> Places:
    """The positions of `hashes` that are in `wanted`; a bit table rules out most first."""
    low = np.uint64((1 << _FILTER_BITS) - 1)
    table = np.zeros(1 << _FILTER_BITS, dtype=np.bool_)
    table[(wanted >> np.uint64(20)) & low] = True
    maybe = np.flatnonzero(table[(hashes >> np.uint64(20)) & low])
    positions: Places = maybe[np.isin(hashes[maybe], wanted)]
    return positions
