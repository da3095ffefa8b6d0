"""Texts as a column of Arrow, and the characters of many texts as one array of numbers.

Ten million texts of 60 characters are 0.7 GB as a column, and twice as much as Python's strings.
"""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Rows = NDArray[np.int64]
Lengths = NDArray[np.int32]

_BATCH_ROWS = 1 << 16


class TextColumn(Sequence[str]):
    """A sequence of texts that stays a column of Arrow: a text is a string of Python while it is used."""

    def __init__(self, column: "pa.Array[Any]") -> None:
        """Take an array of strings without nulls, of either width; it is not copied."""
        self.column = column

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.column)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "TextColumn": ...
    def __getitem__(self, place: int | slice) -> "str | TextColumn":
        """A text, or some of them as a column."""
        if isinstance(place, slice):
            return TextColumn(self.column[place])
        text: str = self.column[place].as_py()
        return text

    def __iter__(self) -> Iterator[str]:
        """Yields one text after the other, of which few are strings of Python at a time."""
        for start in range(0, len(self), _BATCH_ROWS):
            yield from self.column[start : start + _BATCH_ROWS].to_pylist()

    def lengths(self) -> Lengths:
        """How many characters each text has, `(texts,)`."""
        return np.asarray(pc.utf8_length(self.column)).astype(np.int32)

    def characters(self, rows: Rows) -> Codes:
        """The numbers in Unicode of all characters of these texts, one text after the other."""
        some = self.column.take(pa.array(rows)).cast(pa.large_string())
        _, ends, data = some.buffers()
        bounds = np.frombuffer(ends, dtype=np.int64)[some.offset :][: len(some) + 1]
        taken = np.frombuffer(data or b"", dtype=np.uint8)[bounds[0] : bounds[-1]]
        if taken.max(initial=0) < 0x80:
            return taken.astype(np.uint32)
        return _codes(taken.tobytes().decode())


def lengths_of(texts: Sequence[str]) -> Lengths:
    """How many characters each text has, `(texts,)`."""
    if isinstance(texts, TextColumn):
        return texts.lengths()
    return np.fromiter(map(len, texts), dtype=np.int32, count=len(texts))


def characters_of(texts: Sequence[str], rows: Rows) -> Codes:
    """The numbers in Unicode of all characters of some texts, one text after the other.

    Args:
        rows: the numbers of the texts.
    """
    if isinstance(texts, TextColumn):
        return texts.characters(rows)
    return _codes("".join([texts[row] for row in rows.tolist()]))


def joined(texts: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    """The texts and then the others: a column where the texts are one, or else a list.

    Raises:
        UnicodeEncodeError: half of a surrogate pair among others that follow a column.
    """
    if not isinstance(texts, TextColumn):
        return [*texts, *others]
    more = others.column if isinstance(others, TextColumn) else pa.array([*others], pa.string())
    return TextColumn(pa.concat_arrays([texts.column, more.cast(texts.column.type)]))


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
