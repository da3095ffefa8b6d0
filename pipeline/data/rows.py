"""Reads the rows of a CSV, TSV, JSON-lines or Parquet file as strings, each with its line.

A malformed file stops the reading and names the line: a row that is skipped in silence would be
missing from every figure later.
"""

import csv
import difflib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign

_LARGEST_FIELD = 100_000_000


FileRow = tuple[int, dict[str, str]]
"""The line where a row ends in the file (in Parquet: its number), from 1; column → cell."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns to read: all of `required`, and those of `optional` that the file has."""

    required: Sequence[str]
    optional: Sequence[str]

    def found(self, where: str, header: Sequence[str]) -> list[str]:
        """The columns to read from a file with this header; `DataError` where one is missing."""
        for name in self.required:
            if name not in header:
                near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
                hint = (
                    f"did you mean `{near[0]}`?"
                    if near
                    else "name another column in the product file"
                )
                raise DataError(
                    f"{where} has no column {name!r}",
                    expected=f"one of its columns: {', '.join(header) or '(the file is empty)'}",
                    next_step=hint,
                )
        return [*self.required, *(name for name in self.optional if name in header)]


def read_rows(
    path: Path, *, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[FileRow]:
    """The rows of `path` with `columns`, and with those of `optional` that the file has.

    Raises:
        DataError: the kind of file is unknown, it is a git-lfs pointer or a web page, a column is
            missing, a row is malformed, or the text is not UTF-8.
    """
    if (reader := _READERS.get(path.suffix.lower())) is None:
        raise DataError(
            path.name,
            expected=f"a file of one of these kinds: {', '.join(_READERS)}",
            next_step="convert it, for example save it as CSV in UTF-8",
        )
    if path.stat().st_size:  # each reader has its own words for an empty file
        refuse_foreign(path, of="data", expected="rows, not what stands for them")
    yield from reader(path, _Columns(columns, optional))


def _read_csv(path: Path, columns: _Columns) -> Iterator[FileRow]:
    csv.field_size_limit(_LARGEST_FIELD)
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        yield from _tabular(path, ((lines.line_num, row) for row in lines), columns)
    except csv.Error as error:
        raise _malformed(path, lines.line_num, str(error)) from error


def _read_tsv(path: Path, columns: _Columns) -> Iterator[FileRow]:
    rows = (
        (number, [_unquote(field) for field in line.rstrip("\r").split("\t")] if line else [])
        for number, line in enumerate(_text(path).split("\n"), start=1)
    )
    yield from _tabular(path, rows, columns)


def _unquote(field: str) -> str:
    """A TSV field without the quotes that some programs add; a lone quote stays."""
    inner = field[1:-1]
    quoted = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else field


def _tabular(
    path: Path, rows: Iterator[tuple[int, list[str]]], columns: _Columns
) -> Iterator[FileRow]:
    """Rows from lists of fields, the first of which is the header."""
    _, header = next(rows, (0, []))
    names = columns.found(path.name, header)
    if repeated := {name for name in columns.required if header.count(name) > 1}:
        raise _malformed(path, 1, f"the column {', '.join(sorted(repeated))} is there twice")
    positions = {name: header.index(name) for name in names}
    for line, row in rows:
        if not row or row == [""]:
            continue  # an empty line, as editors leave at the end
        if len(row) != len(header):
            raise _malformed(path, line, f"{len(row)} fields where the header has {len(header)}")
        yield line, {name: row[position] for name, position in positions.items()}


def _read_json_lines(path: Path, columns: _Columns) -> Iterator[FileRow]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise _malformed(path, number, f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise _malformed(path, number, "not a JSON object")
        names = columns.found(f"{path.name}, line {number}", list(value))
        yield number, {name: _string(value[name]) for name in names}


def _read_parquet(path: Path, columns: _Columns) -> Iterator[FileRow]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _malformed(path, 1, f"not Parquet ({error})") from error
    names = columns.found(path.name, table.column_names)
    for number, row in enumerate(table.select(names).to_pylist(), start=1):
        yield number, {name: _string(value) for name, value in row.items()}


def _string(value: Any) -> str:
    """A cell as text: a string as it is, null as "", anything else as JSON writes it (1, true)."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _text(path: Path) -> str:
    """The content of the file, without a byte order mark."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path.name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8",
            expected="text in UTF-8",
            next_step=f"convert it: `iconv -f WINDOWS-1252 -t UTF-8 {path.name}` is a common case",
        ) from error


def _malformed(path: Path, line: int, what: str) -> DataError:
    return DataError(
        f"{path.name}, line {line}: {what}",
        expected="a well-formed file",
        next_step=f"correct line {line}; an open quote also breaks the lines after it",
    )


_READERS: dict[str, Callable[[Path, _Columns], Iterator[FileRow]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
