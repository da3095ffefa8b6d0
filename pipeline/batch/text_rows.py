"""Reads the rows of tables (CSV, TSV, text lines, Arrow) and of JSON for a batch.

Cells of a table stay as text. A row of JSON stays whole, as JSON, where the output is JSON lines; else
its cells become text, as they would as a source of training data.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.batch.input_parts import JSON_ROW, PART_CHARACTERS, PART_ROWS, RowsRead
from pipeline.core.errors import DataError
from pipeline.data.any_file import readable
from pipeline.data.file_look import Look
from pipeline.data.json_file import objects
from pipeline.data.rows import read_rows
from pipeline.data.wanted_columns import WantedColumns

_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRows:
    """The rows of a table; see `InputRows`.

    Attributes:
        names: the columns that stay.
    """

    path: Path
    look: Look
    names: Sequence[str]
    text_columns: Sequence[str]
    lines: int

    @property
    def kept(self) -> pa.Schema:
        return _as_text(self.names)

    def read(self) -> Iterator[RowsRead]:
        """All rows in parts; an empty line is no row."""
        with readable(self.path, self.look) as file:
            found = read_rows(
                file, columns=self.text_columns, optional=self.names, layout=self.look.layout
            )
            sized = ((line, row, sum(map(len, row.values()))) for line, row in found)
            for rows, lines in _in_parts(sized):
                cells = [[row[name] for row in rows] for name in self.names]
                texts = [[row[name] for row in rows] for name in self.text_columns]
                kept = _table(cells, self.kept)
                yield RowsRead(texts=[*zip(*texts, strict=True)], kept=kept, lines=lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonRows:
    """The rows of JSON lines, or of a JSON array; see `InputRows`.

    Attributes:
        names: the columns that stay; None for all, whatever each row has, which needs `whole`.
        chosen: whether somebody chose `names`, so that other columns are left out on purpose.
        whole: whether rows stay as JSON, in the one column `JSON_ROW`.
        taken: names of the columns of the answers, which no row may have then.
    """

    path: Path
    look: Look
    names: Sequence[str] | None
    chosen: bool
    whole: bool
    taken: Collection[str]
    text_columns: Sequence[str]
    lines: int

    @property
    def kept(self) -> pa.Schema:
        return _as_text([JSON_ROW] if self.whole else self.names or [])

    def read(self) -> Iterator[RowsRead]:
        """All rows in parts.

        Raises:
            DataError: the file is malformed, a row has a column that is called as an answer or, where
                rows become cells, one that is not known.
        """
        with readable(self.path, self.look) as file:
            for rows, lines in _in_parts(self._rows(file)):
                texts, cells = zip(*rows, strict=True)
                kept = _table([*zip(*cells, strict=True)], self.kept)
                yield RowsRead(texts=texts, kept=kept, lines=lines)

    def _rows(self, file: Path) -> Iterator[tuple[int, tuple[list[Any], list[str]], int]]:
        """The line of each row, its texts with the cells that stay, and how many characters these have."""
        keep = self._as_json if self.whole else self._as_cells
        for line, row in objects(file, self.look.layout):
            texts, cells = [row.get(name) for name in self.text_columns], keep(line, row)
            size = sum(map(len, cells))
            yield line, (texts, cells), max(size, *(len(t) for t in texts if isinstance(t, str)), 0)

    def _as_json(self, line: int, row: dict[str, Any]) -> list[str]:
        if self.names is not None:
            row = {name: row[name] for name in self.names if name in row}
        if clash := row.keys() & self.taken:
            raise clashing(f"{self.path.name}, line {line}", sorted(clash)[0])
        return [_encode(row)]

    def _as_cells(self, line: int, row: dict[str, Any]) -> list[str]:
        names = self.names or ()
        unknown = () if self.chosen else [name for name in row if name not in names]
        if unknown:
            raise DataError(
                f"{self.path.name}, line {line}: the column {unknown[0]!r}, which none of the first rows has",
                expected=f"one of the columns {', '.join(names)}",
                next_step="write JSON lines (an OUT that ends in .jsonl), or say what stays with --columns",
            )
        wanted = WantedColumns(names, lists=names)
        where = f"{self.path.name}, line {line}"
        return [wanted.cell(name, row.get(name), where) for name in names]


def clashing(where: str, name: str) -> DataError:
    """The error for a column that is called as one of the answers."""
    return DataError(
        f"{where}: the column {name!r}, which is also the name of an answer",
        expected="names that differ, or one of the two would be lost",
        next_step="put something before the names of the answers, as in --prefix model_",
    )


def _as_text(names: Iterable[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _in_parts(rows: Iterable[tuple[int, Any, int]]) -> Iterator[tuple[list[Any], int]]:
    """The rows of each part, and how many lines they take.

    Args:
        rows: line, row, and characters of the row.
    """
    part: list[Any] = []
    characters = last = line = 0
    for line, row, size in rows:
        part.append(row)
        characters += size
        if len(part) == PART_ROWS or characters >= PART_CHARACTERS:
            yield part, line - last
            part, characters, last = [], 0, line
    if part:
        yield part, line - last


def _table(columns: Sequence[Sequence[str]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([_strings(column) for column in columns], schema=schema)


def _strings(column: Sequence[str]) -> pa.Array:
    """The cells for Arrow; half of a character, which JSON may hold, as JSON escapes it."""
    try:
        return pa.array(column, pa.string())
    except UnicodeEncodeError:
        return pa.array([cell.encode("utf-8", "backslashreplace") for cell in column], pa.string())
