"""Ids of rows as numbers of 64 bits, which are ordered as the ids are."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.errors import DataError
from pipeline.data.records import ID_DIGITS

Numbers = NDArray[np.uint64]


def numbers_of(ids: Sequence[str]) -> Numbers:
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


def ids_of(numbers: Numbers) -> pa.StringArray:
    """The ids that the numbers stand for."""
    digits = numbers.astype(">u8").tobytes().hex().encode()
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * ID_DIGITS
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(digits))


def is_id(text: str) -> bool:
    """Whether a text is an id as collect writes them."""
    return len(text) == ID_DIGITS and {*text} <= {*"0123456789abcdef"}
