"""Reads the rows of a CSV, TSV, JSON or Parquet file as strings, each with its line.

A malformed file stops the reading and names the line: a row that is skipped in silence would be
missing from every figure later.
"""

import csv
import difflib
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.data.encodings import decoded

_LARGEST_FIELD = 100_000_000
SEPARATORS = (",", ";", "\t", "|")
"""Signs that may stand between the columns of a file, the likeliest first."""
_SEPARATOR_LINE = "sep="
"""How Excel says the separator, in a line before the header."""


FileRow = tuple[int, dict[str, str]]
"""The line where a row ends in the file (in Parquet: its number), from 1; column → cell."""


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


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns to read: all of `required`, and those of `optional` that the file has.

    Attributes:
        lists: columns in which a cell of JSON or Parquet may be a list.
    """

    required: Sequence[str]
    optional: Sequence[str]
    lists: Collection[str]

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

    def cell(self, name: str, value: Any, where: str) -> str:
        """A cell of JSON or Parquet as text; `DataError` for a list or an object as a text."""
        if isinstance(value, list | dict) and name not in self.lists:
            raise DataError(
                f"{where}: the column {name!r} holds {'a list' if isinstance(value, list) else 'an object'}",
                expected="text, a number, or true or false",
                next_step=f"write the text itself into {name!r}, or name another column of the source",
            )
        return _string(value)


def read_rows(
    path: Path,
    *,
    columns: Sequence[str],
    optional: Sequence[str] = (),
    lists: Collection[str] = (),
    layout: Layout | None = None,
) -> Iterator[FileRow]:
    """The rows of `path` with `columns`, and with those of `optional` that the file has.

    Args:
        lists: columns in which a cell of JSON or Parquet may be a list; it comes as JSON.

    Raises:
        DataError: the kind of file is unknown, a column is missing, a row is malformed, or the
            text is not of the encoding.
    """
    refuse_unreadable(path)
    if (reader := _READERS.get(path.suffix.lower())) is None:
        raise _unknown(path)
    yield from reader(path, _Columns(columns, optional, lists), layout or Layout())


def header_of(path: Path, layout: Layout) -> list[str]:
    """The columns of a file, in its order; of JSON, those that any of the first rows has."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return [*_parquet(path).column_names]
    if kind in _JSON:
        rows = _objects(path, layout)
        return [
            *dict.fromkeys(
                name for _, row in zip(range(1000), rows, strict=False) for name in row[1]
            )
        ]
    _, header = next(_fields(path, _text(path, layout), layout.separator), (0, []))
    return header


def _read_csv(path: Path, columns: _Columns, layout: Layout) -> Iterator[FileRow]:
    text = _text(path, layout)
    separator = layout.separator or _separator(text, columns.required)
    yield from _tabular(path, _fields(path, text, separator), columns)


def _read_tsv(path: Path, columns: _Columns, layout: Layout) -> Iterator[FileRow]:
    yield from _tabular(path, _fields(path, _text(path, layout), layout.separator), columns)


def _fields(path: Path, text: str, separator: str | None) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line, the header's first; a line `sep=;` before it is left out."""
    tabs = path.suffix.lower() == ".tsv" and separator in (None, "\t")
    if tabs and not _is_quoted(text):
        for number, line in enumerate(text.split("\n"), start=1):
            yield number, [_unquote(field) for field in line.split("\t")] if line else []
        return
    csv.field_size_limit(_LARGEST_FIELD)
    stream = io.StringIO(text, newline="")
    skipped = _said_separator(text) is not None and bool(stream.readline())
    lines = csv.reader(stream, strict=True, delimiter="\t" if tabs else separator or ",")
    try:
        yield from ((lines.line_num + skipped, row) for row in lines)
    except csv.Error as error:
        raise _malformed(path, lines.line_num + skipped, str(error)) from error


def _said_separator(text: str) -> str | None:
    """The separator that a first line `sep=;` says; None where there is none."""
    line = text[:10].partition("\n")[0].rstrip("\r").strip('"')
    said = line.removeprefix(_SEPARATOR_LINE)
    return said if line.startswith(_SEPARATOR_LINE) and len(said) == 1 else None


def _separator(text: str, wanted: Sequence[str]) -> str:
    """The comma, or the separator by which alone the header has the wanted columns."""
    if (said := _said_separator(text)) is not None:
        return said
    line = next(iter(io.StringIO(text[:_LARGEST_FIELD], newline="")), "")
    for separator in SEPARATORS:
        header = next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])
        if wanted and len(header) > 1 and all(name in header for name in wanted):
            return separator
    return SEPARATORS[0]


def _is_quoted(text: str) -> bool:
    """Whether a TSV has fields in quotes that go on in the next line, as pandas writes them.

    All of it must then read as such a file, row by row: a quote at the start of a text may be alone.
    """
    opened = (line for line in text.split("\n") if any(map(_opens, line.split("\t"))))
    if next(opened, None) is None:
        return False
    csv.field_size_limit(_LARGEST_FIELD)
    try:
        widths = {
            len(row)
            for row in csv.reader(io.StringIO(text, newline=""), strict=True, delimiter="\t")
            if row
        }
    except csv.Error:
        return False
    return len(widths) == 1


def _opens(field: str) -> bool:
    """Whether a field begins with a quote that it does not close."""
    return field.startswith('"') and field.count('"') % 2 == 1


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


def _read_json_lines(path: Path, columns: _Columns, layout: Layout) -> Iterator[FileRow]:
    for number, value in _objects(path, layout):
        where = f"{path.name}, line {number}"
        names = columns.found(where, list(value))
        yield number, {name: columns.cell(name, value[name], where) for name in names}


def _objects(path: Path, layout: Layout) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON file, one a line; or those of one array, each with its number."""
    text = _text(path, layout)
    if text.lstrip().startswith("["):
        yield from _array(path, text)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _not_json_lines(path, number, error) from error
        if not isinstance(value, dict):
            raise _malformed(path, number, "not a JSON object", "one JSON object a line")
        yield number, value


def _array(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON array, numbered from 1."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(
            path, getattr(error, "lineno", 1), f"not JSON ({error})", "one whole JSON array"
        ) from error
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise _malformed(path, number, "not a JSON object", "an array of JSON objects")
        yield number, value


def _not_json_lines(path: Path, number: int, error: Exception) -> DataError:
    """The error for a line that is no JSON; of a file that is one object, it says so."""
    said = str(error) if isinstance(error, ValueError) else "brackets in brackets without end"
    if number == 1 and "Extra data" not in said:
        return _malformed(
            path,
            number,
            f"not JSON ({said})",
            "one JSON object a line, or one array of objects; an object that spans lines is neither",
        )
    return _malformed(path, number, f"not JSON ({said})", "one JSON object a line")


def _read_parquet(path: Path, columns: _Columns, layout: Layout) -> Iterator[FileRow]:
    del layout  # Parquet says it itself
    table = _parquet(path)
    names = columns.found(path.name, table.column_names)
    for number, row in enumerate(table.select(names).to_pylist(), start=1):
        where = f"{path.name}, row {number}"
        yield number, {name: columns.cell(name, value, where) for name, value in row.items()}


def _parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _malformed(path, 1, f"not Parquet ({error})", "a Parquet file") from error


def _string(value: Any) -> str:
    """A cell as text: a string as it is, null as "", anything else as JSON writes it (1, true)."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="surrogateescape")
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _text(path: Path, layout: Layout) -> str:
    """The content of the file; of all kinds but CSV, with one way to end lines."""
    text = decoded(path.read_bytes(), name=path.name, encoding=layout.encoding)
    if path.suffix.lower() == ".csv" or layout.separator not in (None, "\t"):
        return text  # the reader of CSV knows all ends of lines, and keeps those inside quotes
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def refuse_unreadable(path: Path) -> None:
    """Raises DataError for a workbook, a compressed file, a git-lfs pointer or a web page."""
    if path.stat().st_size:  # each reader has its own words for an empty file
        refuse_foreign(path, of="data", expected="rows, not what stands for them")
    with path.open("rb") as stream:
        start = stream.read(4)
    kind = path.suffix.lower()
    if kind in _WORKBOOKS or (start in _ARCHIVES and kind != ".parquet"):
        raise DataError(
            f"{path.name} is an Excel workbook, or another archive",
            expected=f"a file of one of these kinds: {', '.join(_READERS)}",
            next_step='in Excel, File > Save As > "CSV UTF-8 (Comma delimited)", and use that file',
        )
    if start[:2] == _GZIP:
        raise DataError(
            f"{path.name} is compressed",
            expected=f"a file of one of these kinds: {', '.join(_READERS)}",
            next_step=f"unpack it: `gunzip -k {path.name}`",
        )


def _unknown(path: Path) -> DataError:
    return DataError(
        path.name,
        expected=f"a file of one of these kinds: {', '.join(_READERS)}",
        next_step="convert it, for example save it as CSV in UTF-8",
    )


def _malformed(path: Path, line: int, what: str, expected: str | None = None) -> DataError:
    quotes = "" if expected else "; an open quote also breaks the lines after it"
    return DataError(
        f"{path.name}, line {line}: {what}",
        expected=expected or "a well-formed file",
        next_step=f"correct line {line}{quotes}",
    )


_GZIP = b"\x1f\x8b"
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
_JSON = (".jsonl", ".ndjson", ".json")
_READERS: dict[str, Callable[[Path, _Columns, Layout], Iterator[FileRow]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json_lines,
    ".parquet": _read_parquet,
}
KINDS = (*_READERS,)
"""Endings of the files that can be read."""
