"""Reads the two columns of a file that count for its check: those of the texts and of the labels."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.any_file import no_rows
from pipeline.data.arrow_file import columns_of_odd_arrow
from pipeline.data.columns import (
    Column,
    choose_label,
    choose_text,
    describe,
    named_column,
    names_columns,
)
from pipeline.data.file_look import Look
from pipeline.data.header_check import is_sentence, require_names, require_rows_below
from pipeline.data.label_columns import notes_on_columns
from pipeline.data.layout import FileRow
from pipeline.data.parquet_file import columns_of_odd_values
from pipeline.data.rows import ARROW_KINDS, read_rows
from pipeline.data.sources import encodable

_FIRST_ROWS = 20_000
_FIRST_CHARACTERS = 100_000_000
_MOST_ROWS = 200_000
_MOST_CHARACTERS = 100_000_000
_SEED = 13
_TABLES = (".csv", ".tsv")
_ODD_VALUES = {
    ".parquet": columns_of_odd_values,
    **dict.fromkeys(ARROW_KINDS, columns_of_odd_arrow),
}
"""Endings of files that may have columns of bytes, and what tells these columns."""


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of the two columns that count, of a very long file a random part.

    Attributes:
        count: rows of the whole file.
        notes: sentences on further columns.
    """

    text: str
    label: str | None
    rows: Sequence[FileRow]
    count: int
    notes: tuple[str, ...] = ()


def read_columns(file: Path, look: Look, names: Sequence[str], *, text: str, label: str) -> Read:
    """Chooses the columns by the first rows, then reads these of all rows, as collect does."""
    odd: list[str] = []
    if (of_odd_values := _ODD_VALUES.get(look.ending)) is not None:
        named = (*(name for name in names if names_columns([name])), text, label)
        odd = [name for name in of_odd_values(file) if name not in named]
        names = [name for name in names if name not in odd]
    every = read_rows(file, columns=[], optional=names, lists=names, layout=look.layout)
    first = _beginning(every)
    if not first:
        raise no_rows(file)
    columns = describe(names, first)
    if look.ending in _TABLES:
        require_names(file.name, columns)
        require_rows_below(file.name, names, first)
    labels = named_column(columns, label, "--label").column if label else None
    if text:
        texts = named_column(columns, text, "--text").column
    else:
        texts = choose_text(columns, without=[label] if label else []).column
    if texts.is_numeric:
        raise DataError(
            f"the column {texts.name} holds numbers, such as {texts.examples[0]}",
            expected="texts",
            next_step="name the column of the texts with --text",
        )
    labels = labels or _likely_label(columns, texts)
    name = labels.name if labels else None
    both = read_rows(
        file,
        columns=[texts.name],
        optional=[name] if name else [],
        lists=[name] if name else [],
        layout=look.layout,
    )
    rows, count = _sampled(both, file)
    notes = [
        *_odd_notes(odd),
        *_name_notes(texts),
        *notes_on_columns(columns, first, text=texts, label=labels),
    ]
    return Read(texts.name, name, rows, count, (*notes,))


def _beginning(rows: Iterable[FileRow]) -> list[FileRow]:
    """The first rows, as many as the memory holds easily: some columns are long lists of numbers."""
    kept: list[FileRow] = []
    characters = 0
    for line, row in islice(rows, _FIRST_ROWS):
        kept.append((line, row))
        characters += sum(map(len, row.values()))
        if characters > _FIRST_CHARACTERS:
            break
    return kept


def _odd_notes(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"not looked at, for they hold bytes or times out of range: {', '.join(names)}"


def _name_notes(texts: Column) -> Iterator[str]:
    if is_sentence(texts.name):
        yield (
            "the texts stand under a name that is itself a sentence: if it is a text, the file lacks a line"
            " with the names of its columns"
        )


def _likely_label(columns: Sequence[Column], texts: Column) -> Column | None:
    """The column that looks like labels; None where none does, for texts alone are rows too."""
    try:
        found = choose_label(columns, text=texts)
    except DataError:
        return None
    is_named = found.why.startswith("named")
    return found.column if is_named or len(found.column.values) > 1 else None


def _sampled(rows: Iterable[FileRow], file: Path) -> tuple[list[FileRow], int]:
    """The rows, or a random part of very many, in the order of the file; and how many there are."""
    chance = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    kept: list[FileRow] = []
    most, characters, count = _MOST_ROWS, 0, 0
    for count, (line, row) in enumerate(rows, start=1):
        for cell in row.values():
            encodable(cell, f"{file.name}, line {line}")
        if len(kept) < most:
            kept.append((line, row))
            characters += sum(map(len, row.values()))
            most = most if characters < _MOST_CHARACTERS else len(kept)
        elif (place := chance.randrange(count)) < most:
            kept[place] = (line, row)
    return sorted(kept, key=lambda row: row[0]), count
