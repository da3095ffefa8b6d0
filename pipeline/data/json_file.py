"""Reads the objects of a JSON file: one a line, or those of one array, of which it holds one at a time."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.data.exports import answers_in, flattened, tool_of
from pipeline.data.json_shapes import (
    cut_off,
    is_cut,
    of_no_lines,
    of_no_object,
    of_one_object,
    of_python,
    reason,
)
from pipeline.data.layout import LONGEST_ROW, FileRow, Layout, malformed, too_long
from pipeline.data.text_file import beginning_of, lines_of, parts_of, usual_end
from pipeline.data.wanted_columns import WantedColumns, unique_keys

_PART = 1 << 16
_HEADER_ROWS = 1000
_LONGEST_MARK = 16
"""Characters of the longest word or escape of JSON, which the end of a part may cut."""
_ARRAYS_IN_LINES = re.compile(r"\[[^\n]*\]\s*\n\s*\[")
_BLANKS = " \t\r\n"


def read_json(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The rows of a JSON file, each with its line, or with its number in the array.

    Raises:
        DataError: a line is no JSON object, or lacks a column.
    """
    header: list[str] | None = None
    names: dict[str, str] = {}
    for number, value in objects(path, layout):
        where = f"{path.name}, line {number}"
        if header != [*value]:
            header = [*value]
            names = columns.found(where, header)
        yield number, {name: columns.cell(name, value[own], where) for name, own in names.items()}


def header_of_json(path: Path, layout: Layout) -> list[str]:
    """The keys that any of the first 1,000 objects has."""
    first = zip(range(_HEADER_ROWS), objects(path, layout), strict=False)
    return [*dict.fromkeys(name for _, (_, value) in first for name in value)]


def objects(path: Path, layout: Layout) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects with their lines, or numbers in an array; those of annotation tools as flat rows."""
    for number, value in as_written(path, layout):
        yield number, flattened(value)


def exported_by(path: Path, layout: Layout) -> str | None:
    """The annotation tool that wrote the file; None where it is like none of those that are known."""
    return next((tool_of(value) for _, value in as_written(path, layout)), None)


def answered_by_several(path: Path, layout: Layout) -> tuple[int, int]:
    """How many rows of an export have answers of several people, and how many of them different ones."""
    several = [
        answers for _, value in as_written(path, layout) if len(answers := answers_in(value)) > 1
    ]
    return len(several), sum(any(each != first for each in others) for first, *others in several)


def as_written(path: Path, layout: Layout) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects as the file has them, with their lines, or numbers in an array."""
    start = beginning_of(path, encoding=layout.encoding, characters=4096).lstrip()
    is_array = start.startswith("[") and not _ARRAYS_IN_LINES.match(start)
    read = _array(path, layout) if is_array else _lines(path, layout)
    for number, value in read:
        if not isinstance(value, dict):
            raise of_no_object(path, number, value, in_array=is_array)
        yield number, value


def _lines(path: Path, layout: Layout) -> Iterator[tuple[int, Any]]:
    end = usual_end(path, encoding=layout.encoding)
    rows = lines_of(path, encoding=layout.encoding, newline=end)
    for number, line in enumerate(rows, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=unique_keys)
        except (ValueError, RecursionError) as error:
            is_last = not any(map(str.strip, rows))
            raise of_no_lines(path, number, error, line, is_last=is_last) from error
        if number == 1 and (odd := of_one_object(path, value)) and not any(map(str.strip, rows)):
            raise odd
        yield number, value


def _array(path: Path, layout: Layout) -> Iterator[tuple[int, Any]]:
    """The values of a JSON array, numbered from 1."""
    text, number = _Ahead(path, layout), 0
    text.takes("[")
    while not text.takes("]"):
        if number and not text.takes(","):
            raise text.fault("no comma, or no bracket, after a value")
        if number and text.next() == "]":
            raise text.fault("a comma before the closing bracket")
        number += 1
        yield number, text.value()
    if text.next():
        raise text.fault("more after the array")


class _Ahead:
    """The text of a JSON array, of which as much is in the memory as the next value needs."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._parts = parts_of(path, encoding=layout.encoding, characters=_PART)
        self._decoder = json.JSONDecoder(object_pairs_hook=unique_keys)
        self._text, self._at, self._line = "", 0, 1

    def fault(self, what: str, line: int = 0) -> DataError:
        """The error for what comes next, or stands in another line."""
        return malformed(
            self._path, line or self._line, f"not JSON ({what})", "one whole JSON array"
        )

    def next(self) -> str:
        """The next character that is no blank; "" at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill(1):
                return ""

    def takes(self, mark: str) -> bool:
        """Whether the mark comes next; if so, goes behind it."""
        found = self.next() == mark
        self._at += found
        return found

    def value(self) -> Any:
        """The next JSON value; `DataError` where there is none, or one without end."""
        self.next()
        wanted = _PART
        while True:
            more = self._fill(wanted)
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not (more and self._is_cut(error)):
                    if is_cut(error, self._text):
                        raise cut_off(self._path, self._line + self._text.count("\n")) from error
                    at = getattr(error, "pos", self._at)
                    if self._text[self._at : self._at + 2] == "{'":
                        raise of_python(self._path, self._line) from error
                    line = self._line + self._text.count("\n", self._at, at)
                    raise self.fault(reason(error), line) from error
                if wanted > LONGEST_ROW:
                    raise too_long(self._path, self._line, "JSON object") from None
                wanted *= 4
                continue
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            return value

    def _is_cut(self, error: Exception) -> bool:
        """Whether the error may be only that the text ahead ends too early."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return "Unterminated" in error.msg or error.pos >= len(self._text) - _LONGEST_MARK

    def _fill(self, characters: int) -> bool:
        """Reads until so many characters are ahead; whether there may be more behind them."""
        ahead = len(self._text) - self._at
        if ahead >= characters:
            return True
        parts = [self._text[self._at :]]
        while ahead < characters and (part := next(self._parts, "")):
            parts.append(part)
            ahead += len(part)
        self._text, self._at = "".join(parts), 0
        return ahead >= characters
