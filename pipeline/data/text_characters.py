"""The characters of many texts as one array of numbers, without a string of Python for each text."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.text_sequence import TextSequence

Codes = NDArray[np.uint32]
Rows = NDArray[np.int64]
Lengths = NDArray[np.int32]


class Texts:
    """The characters of very many texts, which may be a list, an array, or several of these in a row.

    lengths: how many characters each text has, `(texts,)`.
    """

    def __init__(self, *parts: Sequence[str]) -> None:
        """Take the texts; a `TextSequence` among them is read as the array that it is."""
        self._parts = parts
        self.lengths: Lengths = np.concatenate([_lengths(part) for part in parts])
        self._starts = np.cumsum([0, *map(len, parts)])[:-1]

    def __len__(self) -> int:
        """How many texts there are in all."""
        return len(self.lengths)

    def characters(self, rows: Rows) -> Codes:
        """The numbers in Unicode of all characters of these texts, one text after the other."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        lengths = self.lengths[rows]
        codes = np.empty(lengths.sum(dtype=np.int64), dtype=np.uint32)
        for number in np.unique(owners):
            own = owners == number
            places = slice(None) if own.all() else np.repeat(own, lengths)
            codes[places] = _characters(self._parts[number], rows[own] - self._starts[number])
        return codes


def _lengths(texts: Sequence[str]) -> Lengths:
    if isinstance(texts, TextSequence):
        return np.asarray(pc.utf8_length(texts.array)).astype(np.int32)
    return np.fromiter(map(len, texts), dtype=np.int32, count=len(texts))


def _characters(texts: Sequence[str], rows: Rows) -> Codes:
    if not isinstance(texts, TextSequence):
        return _codes("".join([texts[row] for row in rows.tolist()]))
    some = texts.array.take(pa.array(rows)).cast(pa.large_string())
    _, ends, data = some.buffers()
    bounds = np.frombuffer(ends, dtype=np.int64)[some.offset :][: len(some) + 1]
    taken = np.frombuffer(data or b"", dtype=np.uint8)[bounds[0] : bounds[-1]]
    if taken.max(initial=0) < 0x80:
        return taken.astype(np.uint32)
    return _codes(taken.tobytes().decode())


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
