"""Sentences that do not all say the same: those whose word pairs were mostly met before are passed over."""

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cleaning import bare_words

_BITS = 24
"""Of a pair's hash: sixteen million places, of which 150,000 sentences take a twenty-fourth."""


def varied(
    sentences: Sequence[str], order: Iterable[int], *, count: int, min_new_pairs: float
) -> NDArray[np.int64]:
    """Numbers of `count` sentences, the first in `order` that bring enough word pairs that none before them had.

    Where too few do, those that were passed over fill up, the first again first. Words are what stands between
    spaces: a text of a language without them is one word, new unless it is a copy.

    Args:
        min_new_pairs: share of a sentence's pairs of neighbouring words that have to be new, 0 to 1.

    Returns:
        Rising, all of `order` where there are no more.
    """
    if min_new_pairs == 0:
        return np.array(sorted(islice(order, count)), dtype=np.int64)
    met = bytearray(1 << _BITS)
    taken: list[int] = []
    passed: list[int] = []
    for row in order:
        if len(taken) == count:
            break
        pairs = _pairs(sentences[row])
        enough = sum(not met[pair] for pair in pairs) >= min_new_pairs * len(pairs)
        (taken if enough else passed).append(int(row))
        if enough:
            for pair in pairs:
                met[pair] = 1
    return np.array(sorted([*taken, *passed[: count - len(taken)]]), dtype=np.int64)


def _pairs(sentence: str) -> set[int]:
    """Hashes of its pairs of neighbouring bare words; of a single word, its own."""
    words = bare_words(sentence).split()
    pairs = zip(words, words[1:] or [""], strict=False)
    return {zlib.crc32(" ".join(pair).encode()) >> (32 - _BITS) for pair in pairs}
