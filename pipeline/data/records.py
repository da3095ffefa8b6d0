"""The row that collect, validate and label work on, and its id."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from pipeline.data.tables import Columns, read_table, text_schema, write_table

ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Record:
    """A text and where it comes from; `label` is None in a corpus, `cluster` until validate."""

    id: str
    source: str
    text: str
    label: str | None = None
    cluster: str | None = None


def record_id(source: str, text: str, *, copy: int = 0) -> str:
    """16 hex digits of SHA-256 over source and text; `copy` counts earlier rows with the same two."""
    parts = (source, text) if copy == 0 else (source, text, str(copy))
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
