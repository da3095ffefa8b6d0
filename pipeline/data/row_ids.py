"""Ids of rows as numbers of 64 bits, which are ordered as the ids are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.errors import DataError
from pipeline.data.records import ID_DIGITS
from pipeline.data.tables import read_batches

Ids = NDArray[np.uint64]
"""Ids as numbers, `(rows,)`."""


def numbers_of(ids: Sequence[str]) -> Ids:
    """The number of each id, `(ids,)`.

    Raises:
        DataError: one is not 16 hex digits, written small.
    """
    try:
        numbers = np.frombuffer(bytes.fromhex("".join(ids)), dtype=">u8").astype(np.uint64)
    except ValueError:
        numbers = np.zeros(0, dtype=np.uint64)
    if ids_of(numbers).to_pylist() != [*ids]:
        wrong = next((name for name in ids if not is_id(name)), ids[0])
        raise DataError(
            f"the id {wrong!r}",
            expected=f"{ID_DIGITS} hex digits, as collect writes them",
            next_step="run `make pipeline` to read the sources again",
        )
    return numbers


def id_numbers(ids: Sequence[bytes]) -> Ids:
    """The number of each id in the form that `id_bytes` gives, `(ids,)`."""
    return np.frombuffer(b"".join(ids), dtype=">u8").astype(np.uint64)


def ids_of(numbers: Ids) -> pa.StringArray:
    """The ids that the numbers stand for."""
    digits = numbers.astype(">u8").tobytes().hex().encode()
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * ID_DIGITS
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(digits))


class KnownIds:
    """Ids of which one can ask whether another is among them, 8 bytes each."""

    def __init__(self, numbers: Ids) -> None:
        """Take the numbers of the ids, in any order."""
        self._numbers = np.sort(numbers)

    def __contains__(self, text: object) -> bool:
        if not isinstance(text, str) or not is_id(text):
            return False
        number = numbers_of([text])[0]
        place = np.searchsorted(self._numbers, number)
        return bool(place < len(self._numbers) and self._numbers[place] == number)


def read_ids(path: Path) -> Ids:
    """The number of each id in a Parquet table, `(rows,)`."""
    parts = [np.zeros(0, dtype=np.uint64)]
    for batch in read_batches(path, ["id"]):
        parts.append(numbers_of(batch.column("id").to_pylist()))
    return np.concatenate(parts)


def is_id(text: str) -> bool:
    """Whether a text is an id as collect writes them."""
    return len(text) == ID_DIGITS and {*text} <= {*"0123456789abcdef"}
