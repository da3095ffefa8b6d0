"""Gives the rows of a source ids of their own, and puts them in the order of these, in little memory.

An id is a hash of a row's texts and of how many rows before it have the same texts. Rows with the same
texts therefore first lie in one bucket, where they are counted, and then each in that of its own id. A text
that a million rows share is no more in the memory than any other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.records import id_bytes
from pipeline.data.row_buckets import HELD_BYTES, RowBuckets
from pipeline.data.row_ids import Ids, id_numbers
from pipeline.data.stored_rows import parts_of

_SHARE = 4
"""Rows that are put in order are copied some times: there are so many times fewer of them than are held."""


def rows_by_id(
    batches: Iterable[pa.RecordBatch], folder: Path, *, source: str, held: int = HELD_BYTES
) -> Iterator[pa.Table]:
    """The rows in the order of their ids; a later row with the texts of another has its own id.

    Args:
        batches: rows with the columns of `row_buckets`, in the order of the file, with the ids of first rows.
        folder: a new folder, in which about as many bytes are written as the rows have.
        held: bytes of rows that are held at once; all takes a few times as much.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        closing(RowBuckets(folder / "read.arrow", held=held)) as read,
        closing(RowBuckets(folder / "moved.arrow", held=held)) as moved,
    ):
        for batch in batches:
            read.add(batch)
        read.finish()
        for buckets in parts_of(read.sizes, held // _SHARE):
            repeated = _repeated(read.ids(buckets))
            if len(repeated):
                for rows, is_other in _numbered(read.parts(buckets), repeated, source):
                    for batch in rows.filter(pa.array(is_other)).to_batches():
                        moved.add(batch)
        moved.finish()
    for buckets in parts_of(read.sizes + moved.sizes, held // _SHARE):
        repeated = _repeated(read.ids(buckets))
        numbered = _numbered(read.parts(buckets), repeated, source)
        parts = [rows.filter(pa.array(~is_other)) for rows, is_other in numbered]
        parts += moved.parts(buckets)
        if parts:
            rows = pa.concat_tables(parts).combine_chunks()
            yield rows.take(pa.array(np.argsort(rows["id"].to_numpy(), kind="stable")))


def _repeated(parts: Iterable[Ids]) -> Ids:
    """The ids that occur more than once, in order."""
    seen = repeated = np.empty(0, np.uint64)
    for part in parts:
        seen, counts = np.unique(np.concatenate([seen, part]), return_counts=True)
        repeated = np.union1d(repeated, seen[counts > 1])
    return repeated


def _numbered(
    tables: Iterable[pa.Table], repeated: Ids, source: str
) -> Iterator[tuple[pa.Table, NDArray[np.bool_]]]:
    """Each table with its rows' own ids, and whether a row's is another than that of the first with its texts.

    Args:
        tables: in the order of the file, with the ids of first rows.
        repeated: the ids that several of the rows have, in order.
    """
    counts: Counter[tuple[str, str | None]] = Counter()
    for rows in tables:
        ids = rows["id"].to_numpy()
        places = np.flatnonzero(np.isin(ids, repeated))
        some = rows.take(pa.array(places))
        own, numbers = ids.copy(), []
        for text, second in zip(some["text"].to_pylist(), some["second"].to_pylist(), strict=True):
            numbers.append(id_bytes(source, text, second=second, copy=counts[text, second]))
            counts[text, second] += 1
        own[places] = id_numbers(numbers)
        yield rows.set_column(0, "id", pa.array(own)), own != ids
