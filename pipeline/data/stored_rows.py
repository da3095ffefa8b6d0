"""Rows in a temporary file that has no name, read again in any order and not held in memory.

The file is Arrow's, as it is: a row is found by its number without reading those before it. It goes when
the process ends, however that ends.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class StoredRows:
    """Rows of a table by their numbers, which begin at 0.

    schema: the columns.
    folder: where its file is, and others of these rows may be; None for the system's place for such files.
    """

    def __init__(
        self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, folder: Path | None = None
    ) -> None:
        """Store the rows of the batches, which are read once.

        Args:
            folder: where the file is; None for the system's place for such files.
        """
        self.schema, self.folder = schema, folder
        counts = [0]
        with TemporaryFile(dir=folder) as file:
            with pa.ipc.new_file(file, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    counts.append(len(batch))
            file.flush()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._starts = np.cumsum(counts)
        self._file = pa.ipc.open_file(pa.py_buffer(self._map))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def take(self, rows: Rows, columns: Sequence[str] = ()) -> pa.Table:
        """The rows with these numbers, in this order, as a table in memory.

        Args:
            columns: names of those to read; none for all.
        """
        names = [*columns] or self.schema.names
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(owners, kind="stable")
        parts = [self.schema.empty_table().select(names)]
        for places in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1):
            if len(places):
                owner = int(owners[places[0]])
                batch = self._file.get_batch(owner).select(names)
                parts.append(pa.table(batch.take(pa.array(rows[places] - self._starts[owner]))))
        found = pa.concat_tables(parts)
        self._release()
        if (order[1:] < order[:-1]).any():
            back = np.empty(len(order), dtype=np.int64)
            back[order] = np.arange(len(order))
            found = found.combine_chunks().take(pa.array(back))
        return found

    def _release(self) -> None:
        """Gives the pages of the file back: the next rows are elsewhere in it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def parts_of(sizes: NDArray[np.integer], most: int) -> Iterator[slice]:
    """Slices of a row of things, each with at least one and else with sizes of at most `most` together."""
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + most, side="right")), start + 1)
        yield slice(start, stop)
        start = stop
