"""Keeps rows on disk in 256 files by their ids, so that one of the files at a time is in the memory.

Ids are hashes: the files are of one size, and their order is that of the ids.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.data.row_ids import Ids

SCHEMA = pa.schema(
    [("id", pa.uint64()), ("text", pa.string()), ("second", pa.string()), ("label", pa.string())]
)
"""Columns of the rows. An id is the number that the hex digits of a row's id write."""
WITH_SOURCE_IDS = SCHEMA.append(pa.field(SOURCE_ID, pa.string()))
"""Columns of the rows of a source that has ids of its own."""
BUCKETS = 256
HELD_BYTES = 16_000_000
"""Bytes of rows that are held before they are written, and that are read at once."""
_SHIFT = np.uint64(56)


class RowBuckets:
    """Rows in files of a folder, by the first two hex digits of their id; all have the same columns."""

    def __init__(self, folder: Path, *, held: int = HELD_BYTES) -> None:
        folder.mkdir(parents=True)
        self._folder, self._held = folder, held
        self._rows: list[pa.RecordBatch] = []
        self._bytes = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Takes rows; they may be held until there are enough to write."""
        self._rows.append(rows)
        self._bytes += rows.nbytes
        if self._bytes >= self._held:
            self.write()

    def write(self) -> None:
        """Writes all rows that are held."""
        if not self._rows:
            return
        rows = pa.Table.from_batches(self._rows).combine_chunks()
        self._rows, self._bytes = [], 0
        numbers = (rows["id"].to_numpy() >> _SHIFT).astype(np.uint8)
        rows = rows.take(pa.array(np.argsort(numbers, kind="stable")))
        ends = np.cumsum(np.bincount(numbers, minlength=BUCKETS)).tolist()
        for bucket, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if start < end:
                self._append(bucket, rows.slice(start, end - start))

    def ids(self, bucket: int) -> Iterator[Ids]:
        """The ids of the written rows of a bucket, in arrays of about `held` bytes."""
        wanted: list[Ids] = []
        size = 0
        for batch in self._batches(bucket):
            wanted.append(
                batch["id"].to_numpy().copy()
            )  # a view would keep the texts in the memory
            size += wanted[-1].nbytes
            if size >= self._held:
                yield np.concatenate(wanted)
                wanted, size = [], 0
        if wanted:
            yield np.concatenate(wanted)

    def parts(self, bucket: int) -> Iterator[pa.Table]:
        """The written rows of a bucket in the order in which they came, in tables of about `held` bytes."""
        wanted: list[pa.RecordBatch] = []
        size = 0
        for batch in self._batches(bucket):
            wanted.append(batch)
            size += batch.nbytes
            if size >= self._held:
                yield pa.Table.from_batches(wanted)
                wanted, size = [], 0
        if wanted:
            yield pa.Table.from_batches(wanted)

    def remove(self, bucket: int) -> None:
        """Removes the rows of a bucket."""
        self._file(bucket).unlink(missing_ok=True)

    def _append(self, bucket: int, rows: pa.Table) -> None:
        with (
            self._file(bucket).open("ab") as stream,
            pa.ipc.new_stream(stream, rows.schema) as writer,
        ):
            writer.write_table(rows)

    def _batches(self, bucket: int) -> Iterator[pa.RecordBatch]:
        """All batches of a file, in which one stream of Arrow follows the other."""
        file = self._file(bucket)
        if not file.exists():
            return
        with pa.OSFile(str(file)) as stream:
            while stream.tell() < stream.size():
                yield from pa.ipc.open_stream(stream)

    def _file(self, bucket: int) -> Path:
        return self._folder / f"{bucket:02x}.arrow"
