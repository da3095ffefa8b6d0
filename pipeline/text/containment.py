"""Finds texts that contain another text word for word: the check against leaks between data sets.

Every run of n words is hashed (a vectorised 64-bit polynomial hash) and looked up. Matches are then
compared as strings, so a hash collision costs time but never gives a wrong answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

# Shorter texts are common phrases ("highly engaging"); finding one elsewhere is not a leak.
LEAK_WORDS = 4
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BASE = np.uint64(0xD6E8FEB86659FD93)
_FILTER_BITS = 22
_CHUNK_WORDS = 4_000_000


def containing(
    haystacks: Sequence[str], needles: Sequence[str], *, min_words: int = LEAK_WORDS
) -> list[tuple[int, int]]:
    """Pairs (haystack, needle) of indices where the one contains the other's words in a row.

    Args:
        haystacks: texts in the form of `bare_words`.
        needles: texts in the form of `bare_words`; empty ones and those of fewer than `min_words`
            words are skipped.
    """
    by_words: dict[int, list[int]] = defaultdict(list)
    for row, needle in enumerate(needles):
        if (count := len(needle.split())) >= min_words and needle:
            by_words[min(count, max(min_words, LEAK_WORDS))].append(row)
    pairs = [
        pair
        for chunk in _chunks(haystacks)
        for words, rows in by_words.items()
        for pair in _pairs(haystacks, needles, chunk=chunk, rows=rows, words=words)
    ]
    return sorted(set(pairs))


def equal_pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indices of equal, non-empty texts, whatever their length."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(second):
        rows[text].append(row)
    return [(i, j) for i, text in enumerate(first) if text for j in rows.get(text, ())]


def _chunks(texts: Sequence[str]) -> Iterator[range]:
    """Ranges of rows with a bounded number of words, to bound memory."""
    start, words = 0, 0
    for row, text in enumerate(texts):
        words += text.count(" ") + 2
        if words >= _CHUNK_WORDS:
            yield range(start, row + 1)
            start, words = row + 1, 0
    yield range(start, len(texts))


def _pairs(
    haystacks: Sequence[str],
    needles: Sequence[str],
    *,
    chunk: range,
    rows: Sequence[int],
    words: int,
) -> Iterator[tuple[int, int]]:
    """Pairs of the haystacks `chunk` with the needles `rows`, found by the needles' first words."""
    prefixes = [needles[row].split(" ", words)[:words] for row in rows]
    numbers = {word: number for number, word in enumerate(sorted(set(chain(*prefixes))), start=2)}
    starts: dict[int, list[int]] = defaultdict(list)
    hashes = _hashes(_numbered(prefixes, numbers), words)[:: words + 1]
    for row, start in zip(rows, hashes.tolist(), strict=True):
        starts[start].append(row)
    tokens = _numbered((haystacks[row].split(" ") for row in chunk), numbers)
    found = _hashes(tokens, words)
    ends = np.cumsum([haystacks[row].count(" ") + 2 for row in chunk])
    positions = _among(found, np.array(list(starts), dtype=np.uint64))
    held = np.searchsorted(ends, positions, side="right")
    # A text that repeats the same words is compared once.
    for place, value in sorted(set(zip(held.tolist(), found[positions].tolist(), strict=True))):
        row = chunk[place]
        for needle in starts[value]:
            if f" {needles[needle]} " in f" {haystacks[row]} ":
                yield row, needle


def _numbered(texts: Iterable[Sequence[str]], numbers: Mapping[str, int]) -> Hashes:
    """The words of all texts as 64-bit numbers, with 0 after each text.

    Words that are in no needle's first words share one number (1).
    """
    values: list[int] = []
    for words in texts:
        values += [numbers.get(word, 1) for word in words]
        values.append(0)
    return np.array(values, dtype=np.uint64) * _MULTIPLIER


def _hashes(tokens: Hashes, words: int) -> Hashes:
    """The hash of every run of `words` tokens, `(tokens - words + 1,)`; arithmetic wraps at 2⁶⁴."""
    runs = max(len(tokens) - words + 1, 0)
    hashes = np.zeros(runs, dtype=np.uint64)
    for offset in range(words):
        hashes = hashes * _BASE + tokens[offset : offset + runs]
    return hashes


def _among(hashes: Hashes, wanted: Hashes) -> NDArray[np.int64]:
    """The positions of `hashes` that are in `wanted`; a bit table rules out most first."""
    low = np.uint64((1 << _FILTER_BITS) - 1)
    table = np.zeros(1 << _FILTER_BITS, dtype=np.bool_)
    table[(wanted >> np.uint64(20)) & low] = True
    maybe = np.flatnonzero(table[(hashes >> np.uint64(20)) & low])
    positions: NDArray[np.int64] = maybe[np.isin(hashes[maybe], wanted)]
    return positions
