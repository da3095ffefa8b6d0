"""The greatest value of a column in the rows that were fetched so far, noted in their Parquet file itself.

Rows and mark are one file, so no crash leaves one without the other, and whoever deletes the file reads all
rows anew. A cell of the file is text, in which 10 comes before 9; the mark keeps the kind of value that the database
gave.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.core.errors import DataError

KEY = b"modelyard.since"
"""Key of the note in the file's metadata."""
_KINDS: Mapping[type, tuple[str, Callable[[str], Any]]] = {
    int: ("int", int),
    float: ("float", float),
    Decimal: ("decimal", Decimal),
    str: ("text", str),
    date: ("date", date.fromisoformat),
    datetime: ("time", datetime.fromisoformat),
}
"""Kinds of values that have an order in every database → their name in the note, and how it is read."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A column and its greatest value so far: a number, a text, a date or a time."""

    column: str
    value: Any

    def as_note(self) -> bytes:
        """The mark as the file's metadata hold it."""
        value = self.value
        written = value.isoformat() if isinstance(value, date) else str(value)
        note = {"column": self.column, "kind": _KINDS[type(value)][0], "value": written}
        return json.dumps(note, ensure_ascii=False).encode()


class Greatest:
    """The greatest value of a column of which one batch after the other is seen."""

    def __init__(self, column: str, *, of: str) -> None:
        """Take the name of the column, and of the source for messages."""
        self._column, self._of, self._value = column, of, None

    def see(self, values: Iterable[Any]) -> None:
        """Takes further values; rows without one count as older than all others.

        Raises:
            DataError: a value is of no kind that has an order, or of another kind than those before.
        """
        known = [value for value in values if value is not None]
        kinds = {type(value) for value in known} | (
            {type(self._value)} if self._value is not None else set()
        )
        if len(kinds) > 1 or not kinds <= _KINDS.keys():
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise self._fault(f"holds values of the kind {names}")
        if known:
            greatest = max(known)
            self._value = greatest if self._value is None else max(self._value, greatest)

    def mark(self) -> Mark:
        """The column with its greatest value.

        Raises:
            DataError: no row has a value.
        """
        if self._value is None:
            raise self._fault("is null in every row")
        return Mark(column=self._column, value=self._value)

    def _fault(self, what: str) -> DataError:
        return DataError(
            f"{self._of}: the column {self._column!r}, its `since_column`, {what}",
            expected="numbers, dates, times or texts, of one kind, that grow with each change of a row",
            next_step="name another column as `since_column`, or leave it out: all rows are then read each time",
        )


def mark_in(file: Path, column: str) -> Mark | None:
    """The mark that a file of fetched rows holds for a column; None where there is no file, or no such mark."""
    if not file.is_file():
        return None
    try:
        note = json.loads((pq.read_metadata(file).metadata or {})[KEY])
        read = dict(_KINDS.values())[note["kind"]]
        return Mark(column=column, value=read(note["value"])) if note["column"] == column else None
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
        return None  # of another hand: all rows are read anew
