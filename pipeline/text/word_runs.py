"""Hashes of any run of words of many texts, in NumPy: one pass over their bytes, no object a word.

The hash of a run is a polynomial of its bytes modulo 2⁶⁴, taken from sums up to each byte. Equal runs have
equal hashes; different ones nearly always have others, so whoever finds two equal ones compares the texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_BASE = 0xD6E8FEB86659FD93
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_BLANK, _END = ord(" "), 0
_BYTES_AT_ONCE = 1 << 21


class WordRuns:
    """The words of some texts in a row, with the hash of any run of them.

    Attributes:
        owners: the number of the text that each word is in, `(words,)`.
        firsts: the first word of each text, `(texts,)`.
        counts: words of each text, `(texts,)`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Take texts with one space between words; an empty one counts as a word."""
        codes = np.frombuffer("\0".join(texts).encode(), dtype=np.uint8)
        breaks = np.flatnonzero((codes == _BLANK) | (codes == _END))
        self._starts, self._ends = np.append(0, breaks + 1), np.append(breaks, len(codes))
        self.owners: Places = np.append(0, np.cumsum(codes[breaks] == _END))
        self.firsts: Places = np.searchsorted(self.owners, np.arange(len(texts)))
        self.counts: Places = np.diff(np.append(self.firsts, len(self.owners)))
        # Sums of (byte + 1) · base^place up to each byte.
        self._sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum((codes + np.uint64(1)) * _powers(_BASE, len(codes)), out=self._sums[1:])
        self._inverses = _powers(_INVERSE, len(codes) + 1)

    def places(self, words: int) -> Places:
        """Every word at which a run of so many words of one text begins."""
        return self.with_room(np.arange(len(self.owners)), np.int64(words))

    def with_room(self, places: Places, words: Places | np.int64) -> Places:
        """The words among these at which a run of so many words of one text begins."""
        return places[self.has_room(places, words)]

    def has_room(self, places: Places, words: Places | np.int64) -> NDArray[np.bool_]:
        """Whether a run of so many words of one text begins at each of these words, `(places,)`."""
        last = places + words - 1
        inside = np.minimum(last, len(self.owners) - 1)
        found: NDArray[np.bool_] = (last == inside) & (self.owners[inside] == self.owners[places])
        return found

    def hashes(self, places: Places, words: Places | np.int64) -> Hashes:
        """The hashes of the runs of so many words that begin at the places, `(places,)`."""
        start, end = self._starts[places], self._ends[places + words - 1]
        found: Hashes = (self._sums[end] - self._sums[start]) * self._inverses[start]
        # The last bytes of a run change its low bits too little without this.
        found ^= found >> np.uint64(32)
        found *= _MIXER
        return found


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in order, in lists of about 2 MB."""
    some: list[str] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text) + 1
        if size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _powers(base: int, count: int) -> Hashes:
    """base⁰, base¹, … modulo 2⁶⁴, `(count,)`."""
    most = 1 << max(count - 1, 1).bit_length()
    return _known_powers(base, most)[:count]


@cache
def _known_powers(base: int, count: int) -> Hashes:
    powers = np.full(count, base, dtype=np.uint64)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)
    powers.flags.writeable = False
    return powers
