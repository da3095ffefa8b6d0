"""Makes parts of a file's rows: requests to answer, and the columns that stay beside the answers.

A row without a text that can be answered has a fault in place of its request.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from pipeline.core.errors import DataError
from pipeline.data.wanted_columns import WantedColumns
from pipeline.runtime.task import Request

PART_ROWS = 4_096
PART_CHARACTERS = 2_000_000
"""A part ends after so many rows, or where their cells have so many characters: equal files have equal parts."""
MAX_TEXT_BYTES = 1_000_000
"""Bytes of a text in UTF-8, as many as the server takes in a request."""
JSON_ROW = "json"
"""Name of the one column that holds whole rows as JSON, for an output of JSON lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsRead:
    """Rows of a file, one after the other.

    Attributes:
        texts: the cells of the text columns of each row, as the file has them.
        kept: the columns that stay, a row for each of them.
        lines: lines of the file that they take.
    """

    texts: Sequence[Sequence[Any]]
    kept: pa.Table
    lines: int


class InputRows(Protocol):
    """A file of rows that is ready to be read.

    Attributes:
        kept: names and types of the columns that stay.
        text_columns: the column of the texts or, for pairs, the two.
        lines: about how many lines the file has; 0 where that cannot be told.
    """

    @property
    def kept(self) -> pa.Schema: ...
    @property
    def text_columns(self) -> Sequence[str]: ...
    @property
    def lines(self) -> int: ...

    def read(self) -> Iterator[RowsRead]:
        """All rows, so many at once as a part has.

        Raises:
            DataError: the file is malformed.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class InputPart:
    """Rows that are answered and written together.

    Attributes:
        start: number of the first row, from 0.
        rows: how many they are.
        requests: of the rows without a fault, in order.
        faults: number of a row in the part → why it has no request.
        kept: the columns that stay.
        lines: lines of the file that the rows take.
    """

    start: int
    rows: int
    requests: list[Request]
    faults: dict[int, str]
    kept: pa.Table
    lines: int

    @property
    def end(self) -> int:
        return self.start + self.rows


def parts_of(rows: InputRows) -> Iterator[InputPart]:
    """The file's rows in parts."""
    start = 0
    for read in rows.read():
        requests, faults = checked_requests(read.texts, rows.text_columns)
        rows_read = len(read.texts)
        yield InputPart(
            start=start,
            rows=rows_read,
            requests=requests,
            faults=faults,
            kept=read.kept,
            lines=read.lines,
        )
        start += rows_read


def checked_requests(
    cells: Sequence[Sequence[Any]], columns: Sequence[str]
) -> tuple[list[Request], dict[int, str]]:
    """The requests of rows from the cells of their texts, and the reason of each row that has none."""
    requests: list[Request] = []
    faults: dict[int, str] = {}
    wanted = WantedColumns(columns)
    for number, row in enumerate(cells):
        try:
            texts = [_text(wanted, *named) for named in zip(columns, row, strict=True)]
        except DataError as error:
            faults[number] = error.got
            continue
        requests.append(texts[0] if len(texts) == 1 else (texts[0], texts[1]))
    return requests, faults


def _text(wanted: WantedColumns, column: str, cell: Any) -> str:
    """The text in a cell; DataError where a server would refuse it."""
    text = cell if isinstance(cell, str) else wanted.cell(column, cell, "this row")
    if not text or text.isspace():
        raise _unanswerable(f"an empty text in {column!r}")
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise _unanswerable(f"half of a character (a lone surrogate) in {column!r}") from None
    if size > MAX_TEXT_BYTES:
        raise _unanswerable(f"a text of {size:,} bytes in {column!r}, more than {MAX_TEXT_BYTES:,}")
    return text


def _unanswerable(got: str) -> DataError:
    return DataError(
        got,
        expected=f"a text of 1 to {MAX_TEXT_BYTES:,} bytes in UTF-8",
        next_step="correct the row, or leave it out",
    )
