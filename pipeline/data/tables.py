"""Reads and writes the Parquet tables between stages, as columns or part by part."""

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

_BATCH_ROWS, _BATCH_BYTES = 1 << 13, 1 << 21


def write_table(path: Path, columns: Mapping[str, Sequence[Any]], *, schema: pa.Schema) -> None:
    """Write columns as Parquet, the whole file or nothing; equal values give equal bytes."""
    table = pa.Table.from_pydict({name: columns[name] for name in schema.names}, schema=schema)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


@contextmanager
def table_writer(path: Path, schema: pa.Schema) -> Iterator["TableWriter"]:
    """A writer of a Parquet file that is there, whole, when the block ends without an error."""
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as file,
    ):
        writer = TableWriter(file, schema)
        yield writer
        writer.finish()


class TableWriter:
    """Writes rows in row groups of a bounded size, so that few are in memory at any time.

    Equal rows give equal bytes, whatever the parts in which they come.
    """

    def __init__(self, file: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        self._parts: list[pa.Table] = []
        self._rows = self._bytes = 0
        self.written = 0

    def add(self, rows: pa.Table) -> None:
        """Takes rows with at least the columns of the schema; they are written when a row group is full."""
        rows = rows.select(self._schema.names).cast(self._schema)
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


def table_rows(path: Path) -> int:
    """The number of rows of a Parquet file; `ArtifactError` where it is not Parquet."""
    with _readable(path):
        return int(pq.read_metadata(path).num_rows)


def column_names(path: Path) -> list[str]:
    """The columns of a Parquet file; `ArtifactError` where it is not Parquet."""
    with _readable(path):
        names: list[str] = pq.read_schema(path).names
    return names


def read_batches(
    path: Path, columns: Sequence[str] = (), *, most: int | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file in batches of at most some megabytes, in order.

    Args:
        columns: names of those to read; none for all.
        most: how many of the first rows to read; None for all.

    Raises:
        ArtifactError: the file is not Parquet.
    """
    with _readable(path), pq.ParquetFile(path, pre_buffer=False) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        size = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1)
        rows = int(min(max(_BATCH_BYTES / max(size, 1), 1), _BATCH_ROWS))
        # Read all in one go, the file would stay in memory from its first row group on.
        left = file.metadata.num_rows if most is None else most
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(
                batch_size=rows, row_groups=[group], columns=[*columns] or None
            ):
                if left <= 0:
                    return
                yield batch.slice(0, left)
                left -= len(batch)


def read_table(path: Path) -> Columns:
    """All columns of a Parquet file; `ArtifactError` where it is not Parquet."""
    with _readable(path):
        columns: Columns = pq.read_table(path).to_pydict()
    return columns


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raises what goes wrong in reading the file as an ArtifactError."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtifactError(
            f"{path.name} could not be read: {error}",
            expected="a Parquet table that an earlier stage wrote",
            next_step="run `make pipeline` to build it again",
        ) from error


def last_sentences(path: Path, count: int) -> list[str]:
    """The last `count` of prepare's sentences in hash order, or all where there are fewer.

    For checks that need many texts and no labels. Some may be in the transfer set. That does no
    harm where answers are only compared with each other.
    """
    table = pq.read_table(path, columns=["text"])
    texts: list[str] = table["text"].slice(max(len(table) - count, 0)).to_pylist()
    return texts
