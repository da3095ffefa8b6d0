"""Reads the rows of Parquet for a batch; the columns that stay keep their types."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.batch.input_parts import PART_ROWS, RowsRead
from pipeline.core.errors import ArtifactError, DataError
from pipeline.data.arrow_values import odd_time
from pipeline.data.parquet_file import opened_parquet, parts_of_parquet
from pipeline.data.tables import read_batches


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetRows:
    """The rows of a Parquet file, or of a folder of its parts; see `InputRows`."""

    path: Path
    kept: pa.Schema
    text_columns: Sequence[str]
    lines: int

    def read(self) -> Iterator[RowsRead]:
        """All rows, in parts that depend on nothing but the file.

        Raises:
            DataError: it is not all Parquet, or a later part of a folder has other columns.
        """
        columns = [*dict.fromkeys([*self.kept.names, *self.text_columns])]
        for part in parts_of_parquet(self.path):
            for batch in _batches(part, columns):
                for start in range(0, len(batch), PART_ROWS):
                    yield self._read(part, batch.slice(start, PART_ROWS))

    def _read(self, part: Path, batch: pa.RecordBatch) -> RowsRead:
        try:
            cells = [batch.column(name).to_pylist() for name in self.text_columns]
            kept = pa.Table.from_batches([batch.select(self.kept.names)]).cast(self.kept)
        except (OverflowError, LookupError) as error:
            raise odd_time(part, self.text_columns) from error
        except ValueError as error:  # Arrow's own, too
            raise DataError(
                f"{part.name} has other columns than the first part: {error}",
                expected=f"in each part {', '.join(self.kept.names)}, of the same types",
                next_step="write the table again as one",
            ) from error
        return RowsRead(texts=[*zip(*cells, strict=True)], kept=kept, lines=len(batch))


def kept_columns(path: Path, names: Sequence[str]) -> pa.Schema:
    """The columns of these names in a Parquet file, or in the first of a folder's parts, with their types."""
    schema = opened_parquet(parts_of_parquet(path)[0]).schema_arrow
    return pa.schema([schema.field(name) for name in names])


def _batches(part: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, a few megabytes at once."""
    try:
        yield from read_batches(part, columns)
    except ArtifactError as error:
        raise DataError(
            error.got,
            expected="a whole Parquet file",
            next_step="download or copy the file again, and compare its size with the one at its origin",
        ) from error
