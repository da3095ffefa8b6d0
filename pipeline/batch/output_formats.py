"""Writes the rows of a batch as CSV, TSV, JSON lines or Parquet: part by part, then as one file.

A part is written as it will stand in the file, or, of Parquet, as Arrow. So joining the parts is
copying them, and equal rows give equal bytes whatever stopped and resumed between them.
"""

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pipeline.batch.input_parts import JSON_ROW
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.data.annotation_sheet import FORMULA_STARTS, as_cell
from pipeline.data.tables import table_writer

_JSON_WORDS = ("false", "true")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def _as_text(value: Any) -> str:
    """A value that JSON does not know, such as a time, as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


# One for all: `json.dumps` would make one for each value.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_as_text).encode


class OutputFormat(Protocol):
    """A kind of output file."""

    def write_part(self, path: Path, rows: pa.Table) -> None:
        """Writes the rows of a part."""
        ...

    def join(self, path: Path, parts: Iterable[Path], schema: pa.Schema) -> None:
        """Writes the file of all parts, in their order, whole or not at all."""
        ...


@dataclass(frozen=True)
class Csv:
    """A table of text in UTF-8, with a header.

    A text that a spreadsheet would take for a formula begins with an apostrophe, as in our other
    tables for spreadsheets; a number stays as it is. Lists and objects are JSON.
    """

    separator: str

    def write_part(self, path: Path, rows: pa.Table) -> None:
        """Writes the rows without a header."""
        columns = [_cells(_values(column)) for column in rows.columns]
        path.write_bytes(self._lines(zip(*columns, strict=True)))

    def join(self, path: Path, parts: Iterable[Path], schema: pa.Schema) -> None:
        """Writes the header, then the parts."""
        _copy(path, self._lines([_cells(schema.names)]), parts)

    def _lines(self, rows: Iterable[Sequence[Any]]) -> bytes:
        stream = io.StringIO(newline="")
        # Lines end as RFC 4180 has it; with a plain line feed, a carriage return would get no quotes.
        csv.writer(stream, delimiter=self.separator).writerows(rows)
        return stream.getvalue().encode()


@dataclass(frozen=True)
class JsonLines:
    """An object a line in UTF-8.

    Attributes:
        whole_rows: the input's rows are JSON, in the column `JSON_ROW`, and keep their form.
    """

    whole_rows: bool

    def write_part(self, path: Path, rows: pa.Table) -> None:
        """Writes the rows."""
        if self.whole_rows:
            own, answers = rows.column(JSON_ROW).to_pylist(), rows.drop_columns([JSON_ROW])
            lines = [
                _joined(row, answer) for row, answer in zip(own, _objects(answers), strict=True)
            ]
        else:
            lines = [*_objects(rows)]
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())

    def join(self, path: Path, parts: Iterable[Path], schema: pa.Schema) -> None:
        """Writes the parts."""
        del schema  # each line names its columns
        _copy(path, b"", parts)


class Parquet:
    """Parquet with the types of the input's columns; parts are Arrow files."""

    def write_part(self, path: Path, rows: pa.Table) -> None:
        """Writes the rows as an Arrow file."""
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, rows.schema, options=options) as out,
        ):
            out.write_table(rows)

    def join(self, path: Path, parts: Iterable[Path], schema: pa.Schema) -> None:
        """Writes the rows of all parts as Parquet, in row groups of a bounded size."""
        with table_writer(path, schema) as out:
            for part in parts:
                with pa.OSFile(str(part)) as file:
                    out.add(pa.ipc.open_file(file).read_all())


_CSV = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = ".parquet"


def is_json_lines(path: Path) -> bool:
    """Whether the file's ending is that of JSON lines."""
    return path.suffix.lower() in _JSON_LINES


def format_of(path: Path, *, whole_rows: bool) -> OutputFormat:
    """The format that the ending of an output file names; `whole_rows` is for JSON lines.

    Raises:
        DataError: it names none that can be written.
    """
    ending = path.suffix.lower()
    if ending in _CSV:
        return Csv(_CSV[ending])
    if ending in _JSON_LINES:
        return JsonLines(whole_rows)
    if ending == _PARQUET:
        return Parquet()
    raise DataError(
        f"{path.name} as the file to write",
        expected=f"a name that ends in one of {', '.join([*_CSV, *_JSON_LINES, _PARQUET])}",
        next_step="give it the ending of the format that you want",
    )


def _copy(path: Path, head: bytes, parts: Iterable[Path]) -> None:
    """Writes the head and the bytes of all parts into one file, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as out:
        out.write(head)
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out)


def _objects(rows: pa.Table) -> Iterator[str]:
    """Each row as a JSON object."""
    columns = [_values(column) for column in rows.columns]
    names = rows.column_names
    return (_dumped(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """The values for Python, as `to_pylist` gives them, which takes ten times as long for numbers in structs."""
    kind = column.type
    if pa.types.is_struct(kind) and not column.null_count:
        fields = [_values(field) for field in column.flatten()]
        names = [kind.field(number).name for number in range(kind.num_fields)]
        return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]
    if pa.types.is_float64(kind) and not column.null_count:
        numbers: list[Any] = column.to_numpy().tolist()
        return numbers
    values: list[Any] = column.to_pylist()
    return values


def _cells(values: Sequence[Any]) -> list[Any]:
    """The values as cells of a table of text."""
    return [
        value if isinstance(value, float) and isfinite(value) else _cell(value) for value in values
    ]


def _cell(value: Any) -> str:
    if isinstance(value, str):
        risky = value[:1] and value[0] in FORMULA_STARTS and not _NUMBER.fullmatch(value)
        return as_cell(value) if risky else value
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, bool):
        return _JSON_WORDS[value]
    return _dumped(value) if isinstance(value, int | list | dict) else _cell(_as_text(value))


def _dumped(value: Any) -> str:
    """The value as JSON; a number that is not finite, which JSON does not know, as null."""
    try:
        return _encode(value)
    except ValueError:
        return _encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _joined(row: str, answer: str) -> str:
    """One JSON object of two, of which the second is not empty."""
    return answer if row == "{}" else f"{row[:-1]}, {answer[1:]}"
