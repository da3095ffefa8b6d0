"""Tells the columns of Arrow whose values cannot be shown as text: pictures, and times out of range."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from pipeline.core.errors import DataError


def columns_not_to_show(batch: pa.RecordBatch) -> list[str]:
    """The columns of bytes that are no text, and of times that are out of range or of an unknown zone."""
    names: list[str] = batch.schema.names
    return [name for name in names if names.count(name) == 1 and not _can_be_shown(batch, name)]


def _can_be_shown(batch: pa.RecordBatch, name: str) -> bool:
    try:
        for value in batch.column(name).to_pylist():
            if isinstance(value, bytes):
                value.decode()
    except (OverflowError, ValueError, LookupError):  # pytz raises a KeyError for a zone
        return False
    return True


def odd_time(path: Path, names: Sequence[str]) -> DataError:
    """The error for a time that Python cannot tell, in one of these columns."""
    return DataError(
        f"{path.name}: a time that is out of range, or of an unknown zone, in one of the columns"
        f" {', '.join(names)}",
        expected="times of the years 1 to 9999",
        next_step="write the file again without that column, or with other times",
    )
