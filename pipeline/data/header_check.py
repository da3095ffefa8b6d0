"""Refuses a table whose first line is no header: a row of data, a title, or lines that are quoted as a whole."""

import re
from collections.abc import Sequence

from pipeline.core.errors import DataError
from pipeline.data.columns import Column, names_columns
from pipeline.data.layout import SEPARATORS, FileRow, csv_rows
from pipeline.data.personal_data import spans
from pipeline.text.word_counts import word_count

_WORDS_OF_A_NAME = 3
_LINES_OF_A_TITLE = 5
_OFTEN = 0.1
_RULE = re.compile(r"\s*:?-{2,}:?\s*")
"""What stands below the name of a column in Markdown."""
_WORDS_OF_A_SENTENCE = 6
_EXPECTED = "the names of the columns in the first line, such as text,label"
_ADD = "add a line with the names of the columns above the first one"


def require_names(name: str, columns: Sequence[Column]) -> None:
    """Raises DataError where the first line of a table names no columns. None of its words is told.

    Args:
        name: of the file.
        columns: as the first rows after that line fill them.
    """
    names = [column.name for column in columns]
    if any(map(spans, names)):
        raise DataError(
            f"{name}: the first line holds personal data where the names of the columns should stand",
            expected=_EXPECTED,
            next_step=_ADD,
        )
    if len(names) == 1 and _is_quoted_line(names[0]):
        raise DataError(
            f"{name}: each line is in quotes as a whole, and so one column",
            expected="quotes around fields, not around lines",
            next_step="take the outer quotes of each line away, or write the file again; a spreadsheet does this"
            " when it saves a CSV that was opened as one column",
        )
    # Columns without a name that hardly a row fills are separators at the end, as in many a spreadsheet.
    used = [c for c in columns if c.name.strip() or c.filled * 2 > c.rows]
    named = sum(bool(column.name.strip()) for column in used)
    if named * 2 < len(used):
        raise _title(name, named, len(used))
    if all(len(each) > 2 and each[0] == each[-1] == "'" for each in names):
        raise DataError(
            f"{name}: the fields are in single quotes, which would be letters of the texts",
            expected="double quotes around fields, or none",
            next_step="write the file again with double quotes",
        )
    # A word that stands on many rows of its own column is a value, whatever it means.
    other_names = [c.name for c in columns if c.values.get(c.name, 0) <= _OFTEN * c.filled]
    if not _has_known_name(other_names) and _is_row(columns):
        raise DataError(
            f"{name}: the first line reads like a row: it has a value of its own column, and no name that"
            " texts or labels usually have",
            expected=_EXPECTED,
            next_step=_ADD,
        )


def require_rows_below(name: str, names: Sequence[str], rows: Sequence[FileRow]) -> None:
    """Raises DataError where the names of the columns stand below a title, or a line of hyphens below them.

    Args:
        name: of the file.
        rows: the first ones.
    """
    first = [[*row.values()] for _, row in rows[:_LINES_OF_A_TITLE]]
    below = [*filter(str.strip, first[0])] if first else []
    if len(names) > 1 and below and all(map(_RULE.fullmatch, below)):
        raise DataError(
            f"{name}: a line of hyphens stands below the names of the columns, as Markdown has it",
            expected="rows right below the names of the columns",
            next_step="take that line away, or export the table as CSV",
        )
    unnamed = sum(not each.strip() for each in names)
    if unnamed and not _has_known_name(names) and any(map(_is_header, first)):
        raise _title(name, len(names) - unnamed, len(names))


def _is_header(row: Sequence[str]) -> bool:
    return all(map(str.strip, row)) and len({*row}) == len(row) > 1 and _has_known_name(row)


def _title(name: str, named: int, columns: int) -> DataError:
    return DataError(
        f"{name}: the first line names {named} of {columns} columns",
        expected=_EXPECTED,
        next_step="take the title and the blank lines above the names of the columns away",
    )


def is_sentence(name: str) -> bool:
    """Whether the name of a column is as long as a text; a question of a survey is one, too."""
    return word_count(name) >= _WORDS_OF_A_SENTENCE


def _has_known_name(names: Sequence[str]) -> bool:
    return names_columns([name for name in names if len(name.split()) <= _WORDS_OF_A_NAME])


def _is_row(columns: Sequence[Column]) -> bool:
    """Whether a name is among the few values of its column; of numbers, only beside a whole sentence."""
    own = [column for column in columns if column.may_be_label and column.name in column.values]
    sentence = any(is_sentence(column.name) for column in columns)
    return any(sentence or not column.is_numeric for column in own)


def _is_quoted_line(header: str) -> bool:
    fields: list[list[str]] = [next(csv_rows([header], separator=mark), []) for mark in SEPARATORS]
    return any(len(names) > 1 and _has_known_name(names) for names in fields)
