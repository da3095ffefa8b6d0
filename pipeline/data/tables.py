"""Reads and writes the Parquet tables between stages, as columns, and writes large ones part by part."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path

Columns = dict[str, list[Any]]
GROUP_ROWS = 65_536
GROUP_BYTES = 16_000_000
"""A row group, which a reader takes at once, ends after so many rows or so many bytes of text."""


def write_table(path: Path, columns: Mapping[str, Sequence[Any]], *, schema: pa.Schema) -> None:
    """Write columns as Parquet, the whole file or nothing; equal values give equal bytes."""
    table = pa.Table.from_pydict({name: columns[name] for name in schema.names}, schema=schema)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


@contextmanager
def open_table(path: Path, schema: pa.Schema) -> Iterator["TableWriter"]:
    """A writer of a Parquet file that is there, whole, when the block ends without an error."""
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as file,
    ):
        writer = TableWriter(file)
        yield writer
        writer.finish()


class TableWriter:
    """Writes rows of strings in row groups of a bounded size.

    Equal rows give equal bytes, whatever the parts in which they come.
    """

    def __init__(self, file: pq.ParquetWriter) -> None:
        self._file = file
        self._parts: list[pa.Table] = []
        self._rows = self._bytes = 0
        self.written = 0

    def write(self, rows: pa.Table) -> None:
        """Takes rows; they are written when a row group is full."""
        self.written += rows.num_rows
        while rows.num_rows:
            ends = self._bytes + np.cumsum(_bytes_of_text(rows))
            full = int(np.searchsorted(ends, GROUP_BYTES)) + 1
            taken = min(full, GROUP_ROWS - self._rows, rows.num_rows)
            self._parts.append(rows.slice(0, taken))
            self._rows, self._bytes = self._rows + taken, int(ends[taken - 1])
            if self._rows == GROUP_ROWS or self._bytes >= GROUP_BYTES:
                self.finish()
            rows = rows.slice(taken)

    def finish(self) -> None:
        """Writes the rows that are left, as the last row group."""
        if self._parts:
            rows = pa.concat_tables(self._parts).combine_chunks()  # pages end where chunks end
            self._file.write_table(rows, row_group_size=GROUP_ROWS)
        self._parts, self._rows, self._bytes = [], 0, 0


def _bytes_of_text(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Bytes that the strings of each row have, (rows,)."""
    sizes = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        if pa.types.is_string(column.type):
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return sizes


def read_table(path: Path) -> Columns:
    """All columns of a Parquet file; `ArtifactError` where it is not Parquet."""
    try:
        columns: Columns = pq.read_table(path).to_pydict()
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtifactError(
            f"{path.name} could not be read: {error}",
            expected="a Parquet table that an earlier stage wrote",
            next_step="run `make pipeline` to build it again",
        ) from error
    return columns


def last_sentences(path: Path, count: int) -> list[str]:
    """The last `count` of prepare's sentences in hash order, or all where there are fewer.

    For checks that need many texts and no labels. Some may be in the transfer set. That does no
    harm where answers are only compared with each other.
    """
    table = pq.read_table(path, columns=["text"])
    texts: list[str] = table["text"].slice(max(len(table) - count, 0)).to_pylist()
    return texts
