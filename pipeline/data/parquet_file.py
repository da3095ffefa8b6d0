"""Reads the rows of a Parquet file, or of a folder of its parts, batch by batch."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import DataError
from pipeline.data.arrow_values import columns_not_to_show, odd_time
from pipeline.data.layout import FileRow, Layout
from pipeline.data.wanted_columns import WantedColumns

_BATCH = 8192
_SHOWN = 1000
_MAGIC = b"PAR1"


def read_parquet(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The rows of the file, or of its parts in the order of their names, each with its number.

    Raises:
        DataError: it is not Parquet, lacks a column, or has two of one name.
    """
    del layout  # Parquet says it itself
    number = 0
    for part in parts_of_parquet(path):
        file = opened_parquet(part)
        names = columns.found(part.name, file.schema_arrow.names)
        for row in rows_of_part(part, file, [*dict.fromkeys(names.values())]):
            number += 1
            where = f"{path.name}, row {number}"
            yield (
                number,
                {name: columns.cell(name, row[own], where) for name, own in names.items()},
            )


def header_of_parquet(path: Path) -> list[str]:
    """The columns of the file, or of the first of its parts."""
    return [*opened_parquet(parts_of_parquet(path)[0]).schema_arrow.names]


def parts_of_parquet(path: Path) -> list[Path]:
    """The file itself, or the parts in a folder, by name.

    Raises:
        DataError: the folder has no parts, or has parts in folders, whose names are columns.
    """
    if path.is_file():
        return [path]
    parts = [part for part in sorted(path.rglob("*.parquet")) if part.name[0] not in "_."]
    if not parts:
        raise DataError(
            f"{path.name} is a folder without a Parquet file",
            expected="a file, or a folder of the parts of one Parquet table",
            next_step="name a file",
        )
    if nested := next((part for part in parts if part.parent != path), None):
        raise DataError(
            f"{path.name} has parts in the folder {nested.parent.name}, whose name is a column",
            expected="parts that lie in the folder itself",
            next_step="write the table again without `partition_by`, or name one of the folders",
        )
    return parts


def opened_parquet(path: Path) -> pq.ParquetFile:
    """The open file; `DataError` where it is not Parquet."""
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _not_parquet(path, error) from error


def rows_of_part(path: Path, file: pq.ParquetFile, names: list[str]) -> Iterator[dict[str, object]]:
    """The rows of an open file with the columns of these names.

    Raises:
        DataError: it is not all Parquet, or has a time out of range.
    """
    try:
        for batch in file.iter_batches(_BATCH, columns=names):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise _not_parquet(path, error) from error
    except (OverflowError, ValueError, LookupError) as error:
        raise odd_time(path, names) from error


def columns_of_odd_values(path: Path) -> list[str]:
    """Columns of bytes that are no text, such as pictures, and of times that are out of range.

    Told by the first rows; a source that does not name these columns is read all the same.
    """
    part = parts_of_parquet(path)[0]
    file = opened_parquet(part)
    try:
        first = next(file.iter_batches(_SHOWN), None)
    except (OSError, pa.ArrowException) as error:
        raise _not_parquet(part, error) from error
    return [] if first is None else columns_not_to_show(first)


def _not_parquet(path: Path, error: Exception) -> DataError:
    with path.open("rb") as stream:
        start = stream.read(_SHOWN)
    if start.isascii() and b"\0" not in start and not start.startswith(_MAGIC):
        return DataError(
            f"{path.name} is not Parquet, but text",
            expected="a Parquet file",
            next_step="give it the ending of its kind, .csv, .tsv or .jsonl",
        )
    said = str(error).strip().partition("\n")[0]
    return DataError(
        f"{path.name} is not Parquet, or not all of it ({said})",
        expected="a whole Parquet file",
        next_step="download or copy the file again, and compare its size with the one at its origin",
    )
