"""The row that collect, validate, label and prepare hand to each other, and its id."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.artifacts.table_columns import SOFT
from pipeline.data.tables import read_table, write_table

ID_DIGITS = 16
_LISTS = ("target", SOFT)
_NUMBERS = pa.list_(pa.float64())


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A text, or a pair of texts, with its label and where it comes from.

    Attributes:
        id: see `record_id`.
        source: name of the source in the product file; empty in prepare's tables, which do not keep it.
        source_id: the row's id in its source; None where the source has none.
        second: the second text of a pair; None where there are no pairs.
        label: as tables hold it (see `Problem.read_label`); None in a corpus without labels.
        cluster: id of the first record of its cluster of near copies; None before validate.
        target: the numbers that a model learns from the label; None before label.
        split: train, validation or test; None before prepare.
        reason: why validate took the row out; None for all others.
    """

    id: str
    text: str
    source: str = ""
    source_id: str | None = None
    second: str | None = None
    label: str | None = None
    cluster: str | None = None
    target: list[float] | None = None
    split: str | None = None
    reason: str | None = None


def record_id(source: str, text: str, *, second: str | None = None, copy: int = 0) -> str:
    """The first 16 hex digits of SHA-256 over source and texts.

    Args:
        copy: number of earlier rows of the source with the same texts.
    """
    return id_bytes(source, text, second=second, copy=copy).hex()


def id_bytes(source: str, text: str, *, second: str | None = None, copy: int = 0) -> bytes:
    """The 8 bytes that the hex digits of `record_id` write.

    Raises:
        UnicodeEncodeError: a text holds half of a character.
    """
    parts = f"{source}\0{text}"
    if second is not None:
        parts += f"\0second\0{second}"
    if copy:
        parts += f"\0{copy}"
    return hashlib.sha256(parts.encode()).digest()[: ID_DIGITS // 2]


def write_records(path: Path, rows: Sequence[object], names: Sequence[str]) -> None:
    """Write the named fields of `rows` (records, sentences) as a Parquet table."""
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    write_table(path, columns, schema=record_schema(names))


def record_schema(names: Sequence[str]) -> pa.Schema:
    """The types of the named columns in tables of records."""
    return pa.schema([(name, _NUMBERS if name in _LISTS else pa.string()) for name in names])


def read_records(path: Path) -> list[Record]:
    """The records of a Parquet table; columns that a record does not have are left out."""
    table = read_table(path)
    known = [field.name for field in fields(Record) if field.name in table]
    rows: Iterable[tuple[Any, ...]] = zip(*(table[name] for name in known), strict=True)
    return [Record(**dict(zip(known, row, strict=True))) for row in rows]
