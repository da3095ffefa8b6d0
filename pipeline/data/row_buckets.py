"""Keeps rows on disk by their ids, so that those of a part of all ids can be read again.

Ids are hashes: each of 256 buckets has about as many rows, and their order is that of the ids. One file has
them all, for a file a bucket would take longer to open than its rows take to read.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
    """Rows in a file, by the first two hex digits of their id: first they are added, then read.

    All have the same columns, of which the first is `id`.

    sizes: about how many bytes the rows of each bucket have, `(BUCKETS,)`.
    """

    def __init__(self, file: Path, *, held: int = HELD_BYTES) -> None:
        """Begin a file.

        Args:
            held: bytes of rows that are held before they are written, and that are read at once.
        """
        self.sizes: NDArray[np.int64] = np.zeros(BUCKETS, dtype=np.int64)
        self._path, self._held = file, held
        self._rows: list[pa.RecordBatch] = []
        self._bytes = 0
        self._places: list[list[int]] = [[] for _ in range(BUCKETS)]
        self._written = 0
        self._file = pa.OSFile(str(file), "wb")
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, rows: pa.RecordBatch) -> None:
        """Takes rows; they may be held until there are enough to write."""
        self._rows.append(rows)
        self._bytes += rows.nbytes
        if self._bytes >= self._held:
            self._write()

    def finish(self) -> None:
        """Writes all rows that are held; from then on, rows are read."""
        self._write()
        if self._writer is not None:
            self._writer.close()
        self.close()

    def close(self) -> None:
        """Closes the file that is written, so that its bytes are free on the disk once it is removed."""
        self._file.close()

    def ids(self, buckets: slice) -> Iterator[Ids]:
        """The ids of the rows of some buckets, in arrays of about `held` bytes."""
        wanted: list[Ids] = []
        size = 0
        for batch in self._batches(buckets):
            wanted.append(batch["id"].to_numpy().copy())  # a view would keep the texts in memory
            size += wanted[-1].nbytes
            if size >= self._held:
                yield np.concatenate(wanted)
                wanted, size = [], 0
        if wanted:
            yield np.concatenate(wanted)

    def parts(self, buckets: slice) -> Iterator[pa.Table]:
        """The rows of some buckets in tables of about `held` bytes; those of one id in the order they came."""
        wanted: list[pa.RecordBatch] = []
        size = 0
        for batch in self._batches(buckets):
            wanted.append(batch)
            size += batch.nbytes
            if size >= self._held:
                yield pa.Table.from_batches(wanted)
                wanted, size = [], 0
        if wanted:
            yield pa.Table.from_batches(wanted)

    def _write(self) -> None:
        if not self._rows:
            return
        rows = pa.Table.from_batches(self._rows).combine_chunks()
        self._rows, self._bytes = [], 0
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._file, rows.schema)
        numbers = (rows["id"].to_numpy() >> _SHIFT).astype(np.uint8)
        [batch] = rows.take(pa.array(np.argsort(numbers, kind="stable"))).to_batches()
        ends = np.cumsum(np.bincount(numbers, minlength=BUCKETS)).tolist()
        for bucket, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if start < end:
                part = batch.slice(start, end - start)
                self._writer.write_batch(part)
                self.sizes[bucket] += part.nbytes
                self._places[bucket].append(self._written)
                self._written += 1

    def _batches(self, buckets: slice) -> Iterator[pa.RecordBatch]:
        """The written batches of some buckets, in the order in which they were written."""
        places = sorted(place for some in self._places[buckets] for place in some)
        if not places:
            return
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for place in places:
                yield reader.get_batch(place)
