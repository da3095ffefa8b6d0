"""Reads and writes the Parquet tables between stages, as columns or batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path

Columns = dict[str, list[Any]]

_BATCH_ROWS, _BATCH_BYTES = 1 << 13, 1 << 21
_GROUP_ROWS, _GROUP_BYTES = 1 << 20, 1 << 25


def write_table(path: Path, columns: Mapping[str, Sequence[Any]], *, schema: pa.Schema) -> None:
    """Write columns as Parquet, the whole file or nothing; equal values give equal bytes."""
    table = pa.Table.from_pydict({name: columns[name] for name in schema.names}, schema=schema)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


class TableWriter:
    """Adds rows to a Parquet table, of which few are in memory at any time."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema, self._waiting = schema, schema.empty_table()
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def add(self, rows: pa.Table) -> None:
        """Takes rows with at least the columns of the schema, in whatever order they are."""
        rows = rows.select(self._schema.names).cast(self._schema)
        self._waiting = pa.concat_tables([self._waiting, rows])
        if len(self._waiting) >= _GROUP_ROWS or self._waiting.nbytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if len(self._waiting):
            self._writer.write_table(self._waiting.combine_chunks(), row_group_size=_GROUP_ROWS)
        self._waiting = self._schema.empty_table()


@contextmanager
def table_writer(path: Path, schema: pa.Schema) -> Iterator[TableWriter]:
    """A writer of rows, part by part; the table is there, whole, when the block ends without an error.

    Equal rows added in equal parts give equal bytes.
    """
    with atomic_path(path) as temporary:
        writer = TableWriter(temporary, schema)
        try:
            yield writer
        finally:
            writer.close()


def table_rows(path: Path) -> int:
    """The number of rows of a Parquet file; `ArtifactError` where it is not Parquet."""
    with _readable(path):
        return int(pq.read_metadata(path).num_rows)


def read_batches(path: Path, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file in batches of at most some megabytes, in order.

    Args:
        columns: names of those to read; none for all.

    Raises:
        ArtifactError: the file is not Parquet.
    """
    with _readable(path), pq.ParquetFile(path, pre_buffer=False) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        size = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1)
        rows = int(min(max(_BATCH_BYTES / max(size, 1), 1), _BATCH_ROWS))
        # Read all in one go, the file would stay in memory from its first row group on.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(
                batch_size=rows, row_groups=[group], columns=[*columns] or None
            )


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
