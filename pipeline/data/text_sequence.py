"""Very many texts as a sequence of strings, of which none is a Python object until it is asked for."""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_AT_ONCE = 1 << 12


class TextSequence(Sequence[str]):
    """The texts of an Arrow array, `array`, in order: a part of them is another such sequence."""

    def __init__(self, array: pa.Array) -> None:
        """Take an array of strings without nulls."""
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "TextSequence": ...
    def __getitem__(self, place: int | slice) -> "str | TextSequence":
        if isinstance(place, slice):
            return TextSequence(self.array[place])
        text: str = self.array[int(place)].as_py()
        return text

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self.array), _AT_ONCE):
            yield from self.array.slice(start, _AT_ONCE).to_pylist()


def stored_texts(parts: Iterable[pa.Array], *, folder: Path | None = None) -> TextSequence:
    """The texts of many arrays as one sequence, kept in a temporary file that has no name.

    Memory holds 8 bytes a text; the system keeps of the file what is in use.

    Args:
        parts: arrays of strings without nulls.
        folder: where the file is; None for the system's place for such files.
    """
    ends = [np.zeros(1, dtype=np.int64)]
    with TemporaryFile(dir=folder) as file:
        for part in parts:
            offsets, data = _offsets(part)
            if len(part):
                file.write(data[int(offsets[0]) : int(offsets[-1])])
                ends.append(offsets[1:] - offsets[0] + ends[-1][-1])
        file.flush()
        size = file.tell()
        held = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
    places = np.concatenate(ends)
    return TextSequence(
        pa.LargeStringArray.from_buffers(len(places) - 1, pa.py_buffer(places), pa.py_buffer(held))
    )


def _offsets(array: pa.Array) -> tuple[NDArray[np.int64], memoryview]:
    """Where the texts of an array begin and end in its bytes, `(texts + 1,)`, and the bytes."""
    array = array.cast(pa.large_string())
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(1, dtype=np.int64), memoryview(b"")
    places = np.frombuffer(offsets, dtype=np.int64)[array.offset :][: len(array) + 1]
    return places, memoryview(b"" if data is None else data)
