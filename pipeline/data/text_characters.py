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


def lengths_of(texts: Sequence[str]) -> Lengths:
    """How many characters each text has, `(texts,)`."""
    if isinstance(texts, TextSequence):
        return np.asarray(pc.utf8_length(texts.array)).astype(np.int32)
    return np.fromiter(map(len, texts), dtype=np.int32, count=len(texts))


def characters_of(texts: Sequence[str], rows: Rows) -> Codes:
    """The numbers in Unicode of all characters of some texts, one text after the other.

    Args:
        rows: the numbers of the texts.
    """
    if not isinstance(texts, TextSequence):
        return _codes("".join([texts[row] for row in rows.tolist()]))
    some = texts.array.take(pa.array(rows)).cast(pa.large_string())
    _, ends, data = some.buffers()
    bounds = np.frombuffer(ends, dtype=np.int64)[some.offset :][: len(some) + 1]
    taken = np.frombuffer(data or b"", dtype=np.uint8)[bounds[0] : bounds[-1]]
    if taken.max(initial=0) < 0x80:
        return taken.astype(np.uint32)
    return _codes(taken.tobytes().decode())


def joined(texts: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    """The texts and then the others: an array where the texts are one, or else a list.

    Raises:
        UnicodeEncodeError: half of a surrogate pair among others that follow an array.
    """
    if not isinstance(texts, TextSequence):
        return [*texts, *others]
    more = others.array if isinstance(others, TextSequence) else pa.array([*others], pa.string())
    return TextSequence(pa.concat_arrays([texts.array, more.cast(texts.array.type)]))


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
