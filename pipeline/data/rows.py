"""Rows of a CSV, TSV, JSON-lines or Parquet file, as strings, each with the line it stands on.

A file that is not what its name says stops the reading with the line at fault: a row that is
skipped without a word is a row that is missing from every figure later.
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

_LARGEST_FIELD = 100_000_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: `line` is where it ends in the file (of Parquet: its number), counted from 1."""

    line: int
    values: dict[str, str]


def read_rows(
    path: Path, *, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[FileRow]:
    """Rows of `path` with `columns`, and those of `optional` that it has.

    Raises:
        DataError: the kind of file is unknown, a column is missing, a row is malformed, or the
            text is not UTF-8.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path.name}",
            expected=f"a file of one of these kinds: {', '.join(_READERS)}",
            next_step="convert it, for example save it as CSV in UTF-8",
        )
    yield from reader(path, (*columns,), (*optional,))


def _read_csv(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[FileRow]:
    csv.field_size_limit(_LARGEST_FIELD)
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        yield from _tabular(path, ((lines.line_num, row) for row in lines), columns, optional)
    except csv.Error as error:
        raise _malformed(path, lines.line_num, str(error)) from error


def _read_tsv(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[FileRow]:
    rows = (
        (number, [_unquote(field) for field in line.rstrip("\r").split("\t")] if line else [])
        for number, line in enumerate(_text(path).split("\n"), start=1)
    )
    yield from _tabular(path, rows, columns, optional)


def _unquote(field: str) -> str:
    """A TSV field without the quotes some programs add; a lone quote is text, as in the standard."""
    inner = field[1:-1]
    quoted = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else field


def _tabular(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Sequence[str],
    optional: Sequence[str],
) -> Iterator[FileRow]:
    _, header = next(rows, (0, []))
    taken = _positions(path, header, columns, optional)
    for line, row in rows:
        if not row or row == [""]:
            continue  # an empty line, as editors leave at the end
        if len(row) != len(header):
            raise _malformed(path, line, f"{len(row)} fields where the header has {len(header)}")
        yield FileRow(line, {name: row[position] for name, position in taken.items()})


def _positions(
    path: Path, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> dict[str, int]:
    require_columns(path.name, header, columns)
    if repeated := {name for name in columns if header.count(name) > 1}:
        raise _malformed(path, 1, f"the column {', '.join(sorted(repeated))} stands there twice")
    return {name: header.index(name) for name in (*columns, *optional) if name in header}


def _read_json_lines(
    path: Path, columns: Sequence[str], optional: Sequence[str]
) -> Iterator[FileRow]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise _malformed(path, number, f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise _malformed(path, number, "not a JSON object")
        require_columns(f"{path.name}, line {number}", list(value), columns)
        names = [name for name in (*columns, *optional) if name in value]
        yield FileRow(number, {name: _string(value[name]) for name in names})


def _read_parquet(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[FileRow]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _malformed(path, 1, f"not Parquet ({error})") from error
    require_columns(path.name, table.column_names, columns)
    names = [name for name in (*columns, *optional) if name in table.column_names]
    for number, row in enumerate(table.select(names).to_pylist(), start=1):
        yield FileRow(number, {name: _string(value) for name, value in row.items()})


def _string(value: Any) -> str:
    """The text of a cell: strings as they are, null empty, the rest as JSON writes it (1, true)."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _text(path: Path) -> str:
    """The file as text, without a byte order mark."""
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


def require_columns(where: str, header: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse a header that lacks one of `columns`.

    Raises:
        DataError: naming the columns there are, and the nearest one.
    """
    for name in columns:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else "name another column in params.yaml"
            raise DataError(
                f"{where} has no column {name!r}",
                expected=f"one of its columns: {', '.join(header) or '(the file is empty)'}",
                next_step=hint,
            )


def _malformed(path: Path, line: int, what: str) -> DataError:
    return DataError(
        f"{path.name}, line {line}: {what}",
        expected="a well-formed file",
        next_step=f"correct line {line} (a quote that is not closed spoils all lines after it)",
    )


_READERS: dict[str, Callable[[Path, Sequence[str], Sequence[str]], Iterator[FileRow]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
