"""Picks varied sentences: one whose word pairs are mostly in sentences picked before is skipped."""

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.text.bare_words import bare_words
from pipeline.text.word_counts import with_blanks

_BITS = 24
"""Bits of a word pair's hash: 16 million table places, of which 150,000 sentences fill a 24th."""


def varied(
    sentences: Sequence[str], order: Iterable[int], *, count: int, min_new_pairs: float
) -> NDArray[np.int64]:
    """Greedily picks `count` sentences with enough new word pairs; returns their row numbers.

    Where too few sentences qualify, skipped ones fill up, in order. In a script without blanks between
    words, each letter is taken for a word.

    Args:
        order: row numbers in the order in which sentences are considered.
        min_new_pairs: least share of new pairs among those of a sentence (neighbouring words), 0 to 1.

    Returns:
        Sorted row numbers; all of `order` where it has no more than `count`.
    """
    if min_new_pairs == 0:
        return np.array(sorted(islice(order, count)), dtype=np.int64)
    seen = bytearray(1 << _BITS)
    picked: list[int] = []
    skipped: list[int] = []
    for row in order:
        if len(picked) == count:
            break
        pairs = _pairs(sentences[row])
        enough = sum(not seen[pair] for pair in pairs) >= min_new_pairs * len(pairs)
        (picked if enough else skipped).append(int(row))
        if enough:
            for pair in pairs:
                seen[pair] = 1
    return np.array(sorted([*picked, *skipped[: count - len(picked)]]), dtype=np.int64)


def _pairs(sentence: str) -> set[int]:
    """Hashes of the pairs of neighbouring bare words; a single word is a pair with nothing."""
    words = with_blanks(bare_words(sentence)).split()
    pairs = zip(words, words[1:] or [""], strict=False)
    return {zlib.crc32(" ".join(pair).encode()) >> (32 - _BITS) for pair in pairs}
