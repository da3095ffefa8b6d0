"""Gives the rows of a source ids of their own, and puts them in the order of these, in little memory.

An id is a hash of a row's texts and of how many rows before it have the same texts. Rows with the same
texts therefore first lie in one file, where they are counted, and then each in the file of its own id. A text
that a million rows share is no more in the memory than any other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.data.records import id_bytes
from pipeline.data.row_buckets import BUCKETS, HELD_BYTES, RowBuckets
from pipeline.data.row_ids import Ids, id_numbers


def rows_by_id(
    batches: Iterable[pa.RecordBatch], folder: Path, *, source: str, held: int = HELD_BYTES
) -> Iterator[pa.Table]:
    """The rows in the order of their ids; a later row with the texts of another has its own id.

    Args:
        batches: rows with the columns of `row_buckets`, in the order of the file, with the ids of first rows.
        folder: a new folder, in which about as many bytes are written as the rows have.
        held: bytes of rows that are held at once; all takes a few times as much.
    """
    read = RowBuckets(folder / "read", held=held)
    for batch in batches:
        read.add(batch)
    read.write()
    moved = RowBuckets(folder / "moved", held=held)
    for bucket in range(BUCKETS):
        _number_copies(read, moved, bucket, source)
    moved.write()
    for bucket in range(BUCKETS):
        parts = [*read.parts(bucket), *moved.parts(bucket)]
        if parts:
            rows = pa.concat_tables(parts).combine_chunks()
            yield rows.take(pa.array(np.argsort(rows["id"].to_numpy(), kind="stable")))
        read.remove(bucket)
        moved.remove(bucket)


def _number_copies(read: RowBuckets, moved: RowBuckets, bucket: int, source: str) -> None:
    """Moves the rows of a bucket to the buckets of their own ids, where some have the same texts."""
    repeated = _repeated(read.ids(bucket))
    if not len(repeated):
        return
    counts: Counter[tuple[str, str | None]] = Counter()
    for part in read.parts(bucket):
        for batch in _numbered(part, repeated, counts, source).to_batches():
            moved.add(batch)
    read.remove(bucket)


def _repeated(parts: Iterable[Ids]) -> Ids:
    """The ids that occur more than once, in order."""
    seen = repeated = np.empty(0, np.uint64)
    for part in parts:
        seen, counts = np.unique(np.concatenate([seen, part]), return_counts=True)
        repeated = np.union1d(repeated, seen[counts > 1])
    return repeated


def _numbered(
    rows: pa.Table, repeated: Ids, counts: Counter[tuple[str, str | None]], source: str
) -> pa.Table:
    """The rows with their own ids; `counts` holds how often texts came before, and goes on."""
    ids = rows["id"].to_numpy().copy()
    places = np.flatnonzero(np.isin(ids, repeated))
    some = rows.take(pa.array(places))
    own = []
    for text, second in zip(some["text"].to_pylist(), some["second"].to_pylist(), strict=True):
        own.append(id_bytes(source, text, second=second, copy=counts[text, second]))
        counts[text, second] += 1
    ids[places] = id_numbers(own)
    return pa.table([pa.array(ids), *rows.columns[1:]], schema=rows.schema)
