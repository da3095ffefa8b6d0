"""How a file of rows is written, and the row that each reader of files gives."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

FileRow = tuple[int, dict[str, str]]
"""The line where a row ends in the file (in Parquet: its number), from 1; column → cell."""
SEPARATORS = (",", ";", "\t", "|")
"""Signs that may stand between the columns of a file, the likeliest first."""
LONGEST_ROW = 16_000_000
"""Most characters of one line, one field or one JSON object: more is no text, and would fill the memory."""
PACKED = (".gz", ".zst")
"""Endings of packed files, which stand behind the ending of what is in them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written, where its ending alone does not say it.

    Attributes:
        encoding: None is UTF-8, or what a byte order mark says.
        separator: between the columns of a CSV or TSV. None is a tab in a TSV, and in a CSV the comma
            or, where the header has the wanted columns only so, another of `SEPARATORS`.
    """

    encoding: str | None = None
    separator: str | None = None


def ending_of(path: Path) -> str:
    """The ending that says the kind of a file, in small letters: `.csv` of `tickets.CSV.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return inner.suffix.lower()


def malformed(path: Path, line: int, what: str, expected: str | None = None) -> DataError:
    """The error for a line that cannot be read.

    Args:
        expected: what the line should be; None is a well-formed file, and a word on open quotes.
    """
    quotes = "" if expected else "; an open quote also breaks the lines after it"
    return DataError(
        f"{path.name}, line {line}: {what}",
        expected=expected or "a well-formed file",
        next_step=f"correct line {line}{quotes}",
    )


def csv_rows(lines: Iterable[str], *, separator: str, strict: bool = False) -> "Reader":
    """Reads lines as CSV with fields as long as a row may be; Python's own limit is much less.

    Args:
        strict: whether what no writer of CSV makes is an error.
    """
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(lines, strict=strict, delimiter=separator)


def too_long(path: Path, line: int, what: str = "line") -> DataError:
    """The error for a line, a field or an object that would fill the memory."""
    return DataError(
        f"{path.name}, line {line}: a {what} of more than {LONGEST_ROW:,} characters",
        expected="one text a row",
        next_step="look whether the file has line breaks, and whether each quote in it is closed",
    )
