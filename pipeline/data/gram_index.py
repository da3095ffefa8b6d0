"""An index of texts under keys of rare grams, in bands that fit into memory."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pipeline.data.gram_keys import keys, keys_a_character, ranges
from pipeline.data.gram_sets import Numbers
from pipeline.data.text_characters import Rows

SIZE_BITS = np.uint64(2**32 - 1)
# An entry has 64 bits: of the key's hash what is left, grams lost before it, and the row.
_LOST_BITS, _MOST_LOST = 8, 255
_LARGEST = 2**31 - 1
# Rounding of a bound must not rule out a pair that is just similar enough.
_SLACK = 1e-6
_BAND_ENTRIES = 1 << 20
_MOST_BANDS = 256
_MEMORY_BYTES = 1 << 25
_WAITING_ENTRIES = 1 << 19


@dataclass(frozen=True, slots=True)
class Entries:
    """Texts under their keys, ordered by key and then by the size of the text's set.

    keys: the key's number (32 bits; two keys may share one), then the size (32 bits).
    rows: the texts.
    reach: the size of the largest set that can be similar to the text's, if this is the first key
        that they share.
    """

    keys: Numbers
    rows: Rows
    reach: Rows

    def part(self, places: slice | NDArray[np.bool_]) -> "Entries":
        """Some of the entries, in their order."""
        return Entries(self.keys[places], self.rows[places], self.reach[places])

    def sizes(self, places: Rows | slice) -> Rows:
        """The size of the set of the text at each of these places."""
        return (self.keys[places] & SIZE_BITS).astype(np.int64)


class GramIndex:
    """Texts under their keys, in bands that fit into memory: each has all texts of its keys.

    Bands of very many texts are temporary files.
    """

    def __init__(self, *, similarity: float, rows: int, characters: int, files: ExitStack) -> None:
        """Take the least Jaccard similarity, and how many texts and characters there are at most.

        Two indexes have the same keys in their bands where these three numbers are the same.

        Args:
            files: closes the temporary files.
        """
        self._similarity, self._ranges = similarity, ranges(rows, similarity)
        entries = int(characters * keys_a_character(similarity, self._ranges))
        self._band_bits = min(entries // _BAND_ENTRIES, _MOST_BANDS - 1).bit_length()
        self._row_bits = rows.bit_length()
        count = 1 << self._band_bits
        self._bands: list[IO[bytes]] = [
            files.enter_context(tempfile.SpooledTemporaryFile(_MEMORY_BYTES // count))  # noqa: SIM115 - `files` closes it
            for _ in range(count)
        ]
        self._waiting: list[tuple[NDArray[np.uint8], Numbers]] = []

    def add(self, rows: Rows, grams: Numbers, sizes: Rows) -> None:
        """Take the sets of these texts, as `gram_sets` gives them."""
        for hashes, owners, lost in keys(grams, sizes, self._similarity, self._ranges):
            bits = np.uint64(_LOST_BITS + self._row_bits)
            entries = hashes >> bits
            entries <<= np.uint64(_LOST_BITS)
            entries |= np.minimum(lost, _MOST_LOST).astype(np.uint64)
            entries <<= np.uint64(self._row_bits)
            entries |= rows[owners].astype(np.uint64)
            # The lowest bits of a product say too little.
            bands = ((hashes >> np.uint64(8)) & np.uint64(len(self._bands) - 1)).astype(np.uint8)
            self._waiting.append((bands, entries))
        if sum(len(bands) for bands, _ in self._waiting) > _WAITING_ENTRIES:
            self._write()

    def bands(self, sizes: NDArray[np.integer], *, alone: bool) -> Iterator[Entries]:
        """The entries of one band after the other.

        Args:
            sizes: the size of the set of every row.
            alone: with the entries whose key no other text of the index has.
        """
        self._write()
        for file in self._bands:
            file.seek(0)
            entries = np.frombuffer(bytearray(file.read()), dtype=np.uint64)
            entries.sort()
            grams = entries >> np.uint64(_LOST_BITS + self._row_bits)
            if not alone:
                same = np.append(grams[1:] == grams[:-1], False)[: len(grams)]
                same[1:] |= same[:-1].copy()
                entries, grams = entries[same], grams[same]
            rows = (entries & np.uint64((1 << self._row_bits) - 1)).astype(np.int64)
            lost = (entries >> np.uint64(self._row_bits)) & np.uint64(_MOST_LOST)
            own = sizes[rows].astype(np.uint64)
            # What is left of the hash may be wider than 32 bits.
            numbers = (grams << np.uint64(32)) | own
            order = np.argsort(numbers)
            numbers, rows, left = numbers[order], rows[order], (own - lost)[order]
            reach = np.floor(left * (1 + 1 / self._similarity) - (numbers & SIZE_BITS) + _SLACK)
            yield Entries(numbers, rows, np.clip(reach, 0, _LARGEST).astype(np.int64))

    def _write(self) -> None:
        """Writes the entries that wait into the files of their bands."""
        if not self._waiting:
            return
        bands = np.concatenate([some for some, _ in self._waiting])
        entries = np.concatenate([some for _, some in self._waiting])
        self._waiting.clear()
        entries = entries[np.argsort(bands, kind="stable")]
        ends = np.cumsum(np.bincount(bands, minlength=len(self._bands)))
        for file, some in zip(self._bands, np.split(entries, ends[:-1]), strict=True):
            file.write(some.tobytes())
