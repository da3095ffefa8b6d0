"""Sets of the grams of many texts as numbers, and how many grams two sets share.

A gram is 5 characters in a row; or 2, where one of the two is a Hangul syllable, a Han letter or kana.
Two or three of these are a word: in a Korean text of eight words, a quarter of the pieces of 5
characters hold a part of the same word, and one changed word would change them all.

The number of a gram has 64 bits: how common it is (6 bits), then 58 bits of a hash of its characters. So
sorted numbers have the rarest grams first. Two different grams have the same number with a chance
of 2⁻⁵⁸ at most: two texts of 1,000 grams each are compared wrongly once in 3·10¹¹ times.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.data.text_characters import Codes, Rows, Texts
from pipeline.text.word_counts import dense_letters

Numbers = NDArray[np.uint64]

GRAM_CHARACTERS, DENSE_GRAM_CHARACTERS = 5, 2
_FILLER = 0x10FFFF  # no character of any text: Unicode keeps it free
_BASE = np.uint64(0xD6E8FEB86659FD93)
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_HASH_BITS = 58
_FEWEST_TABLE_BITS, _MOST_TABLE_BITS = 10, 20
_MOST_COMMON = 62
_NO_GRAM = np.uint64(2**64 - 1)
_SAMPLE_CHARACTERS = 1 << 24
_BLOCK_CHARACTERS = 1 << 21
_CELLS = 1 << 17
_COUNTERS = 1 << 19


def commonness(texts: Texts) -> NDArray[np.uint8]:
    """How common the grams with each beginning of a hash are: 0 for unseen ones, to 62.

    It decides in which order grams are looked up, so how fast copies are found, and never which: of
    very many texts a part is enough.
    """
    lengths = texts.lengths
    total = int(lengths.sum(dtype=np.int64))
    bits = min(max(total.bit_length(), _FEWEST_TABLE_BITS), _MOST_TABLE_BITS)
    counts = np.zeros(1 << bits, dtype=np.int64)
    some = np.arange(0, len(lengths), 1 + total // _SAMPLE_CHARACTERS)
    ends = np.cumsum(lengths[some] + GRAM_CHARACTERS, dtype=np.int64)
    start = 0
    while start < len(some):
        reached = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, reached + _BLOCK_CHARACTERS)), start + 1)
        rows = some[start:stop]
        codes = texts.characters(rows)
        parted = np.full(len(codes) + len(rows), _FILLER, dtype=np.uint32)
        parted[np.arange(len(codes)) + np.repeat(np.arange(len(rows)), lengths[rows])] = codes
        hashes = _hashes(parted[None])[0]
        counts += np.bincount(_beginnings(hashes, len(counts)), minlength=len(counts))
        start = stop
    common: NDArray[np.uint8] = np.minimum(3 * np.log2(counts + 1), _MOST_COMMON).astype(np.uint8)
    return common


def blocks(lengths: NDArray[np.integer]) -> Iterator[Rows]:
    """The numbers of all rows in blocks of rows of about one length, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + max(_CELLS // max(int(lengths[order[start]]), 1), 1)
        yield order[start:stop]
        start = stop


def gram_sets(
    codes: Codes, lengths: NDArray[np.integer], common: NDArray[np.uint8]
) -> tuple[Numbers, Rows]:
    """The grams of each text, without repetition and sorted, one text after the other; their counts.

    A text shorter than a gram is its own only gram. Texts of about one length take least memory.

    Args:
        codes: the numbers of the characters in Unicode, one text after the other.
        lengths: how many characters each text has.
        common: as `commonness` gives it.
    """
    table, lengths = _table(codes, lengths)
    hashes = _hashes(table)
    numbers = common[_beginnings(hashes, len(common))].astype(np.uint64)
    numbers <<= np.uint64(_HASH_BITS)
    hashes &= np.uint64((1 << _HASH_BITS) - 1)
    numbers |= hashes
    # Shorter rows repeat their first gram.
    beyond = np.arange(numbers.shape[1]) > (lengths - GRAM_CHARACTERS)[:, None]
    np.copyto(numbers, numbers[:, :1].copy(), where=beyond)
    numbers.sort(axis=1)
    fresh = np.ones(numbers.shape, dtype=np.bool_)
    np.not_equal(numbers[:, 1:], numbers[:, :-1], out=fresh[:, 1:])
    return numbers[fresh], fresh.sum(axis=1)


def sketches(grams: Numbers, counts: Rows, *, words: int) -> Numbers:
    """A sketch of each set, `(texts, words)`: bit b is set where an odd number of grams falls on b.

    The sketches of two sets differ in at most as many bits as there are grams in one set alone.

    Args:
        words: number of 64-bit words of a sketch, a power of two.
    """
    bits = 64 * words
    found = np.zeros((len(counts), words), dtype=np.uint64)
    ends = np.append(0, np.cumsum(counts))
    step = max(_COUNTERS // bits, 1)
    for start in range(0, len(counts), step):
        some = counts[start : start + step]
        places = np.repeat(np.arange(len(some)) * bits, some)
        own = grams[ends[start] : ends[start + len(some)]]
        places += (own & np.uint64(bits - 1)).astype(np.int64)
        odd = np.bincount(places, minlength=len(some) * bits).astype(np.uint8) & 1
        found[start : start + step] = np.packbits(odd).view(np.uint64).reshape(-1, words)
    return found


def shared(grams: Numbers, counts: Rows, pairs: tuple[Rows, Rows]) -> Rows:
    """How many grams both sets of each pair have.

    Args:
        grams, counts: as `gram_sets` gives them.
        pairs: numbers of the first and of the second set of each pair.
    """
    starts = np.cumsum(counts) - counts
    grams = np.append(grams, _NO_GRAM)
    found = np.zeros(len(pairs[0]), dtype=np.int64)
    for block in blocks(counts[pairs[0]] + counts[pairs[1]]):
        table = np.concatenate(
            [_padded(grams, starts[side[block]], counts[side[block]]) for side in pairs], axis=1
        )
        table.sort(axis=1)
        same = (table[:, 1:] == table[:, :-1]) & (table[:, 1:] != _NO_GRAM)
        found[block] = same.sum(axis=1)
    return found


def _padded(grams: Numbers, starts: Rows, counts: Rows) -> Numbers:
    """The sets that start there as the rows of a table, filled with the last number of `grams`."""
    columns = np.arange(counts.max(initial=0))
    places = np.where(columns < counts[:, None], starts[:, None] + columns, len(grams) - 1)
    table: Numbers = grams[places]
    return table


def _beginnings(hashes: Numbers, size: int) -> Rows:
    """The first bits of each hash, as a place in a table of this size, which is a power of two."""
    return (hashes >> np.uint64(65 - size.bit_length())).astype(np.int64)


def _table(codes: Codes, lengths: NDArray[np.integer]) -> tuple[Codes, NDArray[np.integer]]:
    """The characters of each text as a row with fillers after it, and how many of a row count.

    So 5 characters begin wherever a gram does: after a gram of 2 characters near the end, less than 5 are
    left, and it would not count without fillers.
    """
    more = GRAM_CHARACTERS - DENSE_GRAM_CHARACTERS
    width = max(int(lengths.max(initial=0)) + more, GRAM_CHARACTERS)
    table = np.full((len(lengths), width), _FILLER, dtype=np.uint32)
    columns = np.arange(width)
    own = columns < lengths[:, None]
    table[own] = codes
    places = np.flatnonzero(dense_letters(codes))
    rows = np.searchsorted(np.cumsum(lengths), places, side="right")
    near_end = np.cumsum(lengths)[rows] - places <= GRAM_CHARACTERS
    dense = np.zeros(len(lengths), dtype=np.bool_)
    dense[rows[near_end]] = True
    filled = np.maximum(lengths + more * dense, GRAM_CHARACTERS)
    return table[:, : filled.max(initial=GRAM_CHARACTERS)], filled


def _hashes(table: Codes) -> Numbers:
    """The hash of the gram at each character but a row's last 4, `(rows, characters - 4)`.

    Arithmetic wraps at 2⁶⁴.
    """
    runs = max(table.shape[1] - GRAM_CHARACTERS + 1, 0)
    hashes = np.zeros((len(table), runs), dtype=np.uint64)
    for offset in range(GRAM_CHARACTERS):
        hashes *= _BASE
        hashes += table[:, offset : offset + runs]
    dense = dense_letters(table.ravel()).reshape(table.shape)
    rows, places = np.nonzero(dense[:, :runs] | dense[:, 1 : runs + 1])
    hashes[rows, places] = table[rows, places] * _BASE + table[rows, places + 1]
    # The last characters change high bits too little without this.
    hashes ^= hashes >> np.uint64(32)
    hashes *= _MIXER
    hashes ^= hashes >> np.uint64(29)
    return hashes
