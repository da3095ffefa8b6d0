"""Rows that come in Arrow batches, from a table on the disk or from a few records in memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.data.records import Record
from pipeline.data.tables import read_batches, table_rows

SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "source", "text", "second", "label")])
WITH_SOURCE_IDS = SCHEMA.insert(2, pa.field(SOURCE_ID, pa.string()))
"""Columns of rows where a source has ids of its own."""
_AT_ONCE = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBatches:
    """Rows with the columns WITH_SOURCE_IDS, or some of them.

    Attributes:
        count: rows of all batches together.
        batches: can be read once.
        folder: where temporary files of them may be; None for the system's place for such files.
    """

    count: int
    batches: Iterable[pa.RecordBatch]
    folder: Path | None = None


def rows_of_table(path: Path, *, folder: Path) -> RowBatches:
    """The rows of a Parquet table.

    Raises:
        ArtifactError: the file is not Parquet.
    """
    return RowBatches(count=table_rows(path), batches=read_batches(path), folder=folder)


def rows_of(records: Sequence[Record]) -> RowBatches:
    """Records that are in memory, as rows."""
    return RowBatches(count=len(records), batches=_batches(records))


def records_of(table: pa.RecordBatch | pa.Table) -> list[Record]:
    """Few rows as objects; columns that a record does not have are left out."""
    known = [name for name in table.schema.names if name in Record.__slots__]
    return [Record(**row) for row in table.select(known).to_pylist()]


def source_ids_of(batch: pa.RecordBatch) -> pa.Array:
    """The own ids of the rows of a batch; null for each where it has no such column."""
    if SOURCE_ID not in batch.schema.names:
        return pa.nulls(len(batch), pa.string())
    return batch.column(SOURCE_ID)


def _batches(records: Sequence[Record]) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(records), _AT_ONCE):
        some = records[start : start + _AT_ONCE]
        schema = WITH_SOURCE_IDS
        columns = {name: [getattr(record, name) for record in some] for name in schema.names}
        yield pa.RecordBatch.from_pydict(columns, schema=schema)
