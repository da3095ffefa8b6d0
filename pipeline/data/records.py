"""The row that collect, validate and label work on, and its id."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from pipeline.data.tables import Columns, read_table, text_schema, write_table

ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Record:
    """A text, or a pair of them, and where it comes from.

    Attributes:
        label: as tables hold it (pipeline/data/labels.py); None in a corpus.
        cluster: None until validate.
        second: the second text of a pair; None where there are no pairs.
    """

    id: str
    source: str
    text: str
    label: str | None = None
    cluster: str | None = None
    second: str | None = None


def record_id(source: str, text: str, *, second: str | None = None, copy: int = 0) -> str:
    """16 hex digits of SHA-256 over source and texts; `copy` counts earlier rows with the same."""
    parts = [source, text]
    if second is not None:
        parts += ["second", second]
    if copy:
        parts.append(str(copy))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID_DIGITS]


def to_columns(records: Sequence[Record], *names: str) -> Columns:
    """The named fields of `records` as columns."""
    return {name: [getattr(record, name) for record in records] for name in names}


def write_records(path: Path, records: Sequence[Record], *names: str) -> None:
    """Write the named fields of `records` as a Parquet table."""
    write_table(path, to_columns(records, *names), schema=text_schema(*names))


def read_records(path: Path) -> list[Record]:
    """The records of a Parquet table; columns that a record does not have are left out."""
    table = read_table(path)
    known = [field.name for field in fields(Record) if field.name in table]
    rows: Iterable[tuple[str | None, ...]] = zip(*(table[name] for name in known), strict=True)
    return [Record(**dict(zip(known, row, strict=True))) for row in rows]  # type: ignore[arg-type]
