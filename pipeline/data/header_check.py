"""Refuses a table whose first line is no header: a row of data, a title, or lines that are quoted as a whole."""

from collections.abc import Sequence

from pipeline.core.errors import DataError
from pipeline.data.columns import Column, names_columns
from pipeline.data.layout import SEPARATORS, csv_rows
from pipeline.data.personal_data import spans
from pipeline.text.word_counts import word_count

_WORDS_OF_A_NAME = 3
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
    named = sum(bool(each.strip()) for each in names)
    if named * 2 < len(names):
        raise DataError(
            f"{name}: the first line names {named} of {len(names)} columns",
            expected=_EXPECTED,
            next_step="take the title and the blank lines above the names of the columns away",
        )
    if not _has_known_name(names) and _is_row(columns):
        raise DataError(
            f"{name}: the first line reads like a row: it has a value of its own column, and no name that"
            " texts or labels usually have",
            expected=_EXPECTED,
            next_step=_ADD,
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
