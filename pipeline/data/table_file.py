"""Reads the rows of a CSV, a TSV, or a file of one text a line."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.layout import SEPARATORS, FileRow, Layout, csv_rows, ending_of, too_long
from pipeline.data.table_faults import badly_quoted, uneven
from pipeline.data.text_file import beginning_of, lines_of, usual_end
from pipeline.data.wanted_columns import WantedColumns, composed

TEXT_COLUMN = "text"
"""Name of the only column of a file of one text a line."""
_SEPARATOR_LINE = "sep="
"""How Excel says the separator, in a line before the header."""


def read_csv(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The rows of a CSV, whose separator is the layout's or the one that fits the wanted columns."""
    separator = layout.separator or _separator(path, columns, layout)
    yield from _rows(path, _fields(path, Layout(layout.encoding, separator)), columns)


def read_tsv(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The rows of a TSV; quotes that pandas puts around line breaks are taken off."""
    yield from _rows(path, _fields(path, layout), columns)


def read_text_lines(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The lines of a file that are not blank, as the column `text`; of a table, its rows."""
    if layout.separator is not None:
        yield from read_csv(path, columns, layout)
        return
    names = columns.found(path.name, [TEXT_COLUMN])
    end = usual_end(path, encoding=layout.encoding)
    lines = lines_of(path, encoding=layout.encoding, newline=end)
    for number, line in enumerate(lines, start=1):
        if text := line.rstrip("\r\n").strip():
            yield number, dict.fromkeys(names, text)


def header_of_table(path: Path, layout: Layout) -> list[str]:
    """The columns of a CSV or TSV in its order; of a file of lines, `text`."""
    if ending_of(path) == ".txt" and layout.separator is None:
        return [TEXT_COLUMN]
    return _header(_fields(path, layout))


def _header(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The first row that is not blank."""
    return next((row for _, row in rows if any(map(str.strip, row))), [])


def refuse_repeated(path: Path, header: Sequence[str]) -> None:
    """Raises DataError where two columns have one name; those without a name may be many."""
    counts = Counter(composed(name) for name in header if name.strip())
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise DataError(
            f"{path.name}: the column {repeated[0]!r} is there twice",
            expected="columns of different names",
            next_step="rename one of them in the file, or take it out",
        )


def _fields(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line, the header's first; a line `sep=;` before it is left out."""
    tabs = ending_of(path) == ".tsv" and layout.separator in (None, "\t")
    end = usual_end(path, encoding=layout.encoding) if tabs else ""
    lines = lines_of(path, encoding=layout.encoding, newline=end)
    if tabs and not _is_quoted(path, layout, end):
        for number, ended in enumerate(lines, start=1):
            line = _without_end(ended, end)
            yield number, [_unquote(field) for field in line.split("\t")] if line else []
        return
    skipped = int(said_separator(beginning_of(path, encoding=layout.encoding)) is not None)
    if skipped:
        next(lines, None)
    separator = "\t" if tabs else layout.separator or ","
    yield from _csv_fields(
        path, lines, separator=separator, encoding=layout.encoding, skipped=skipped
    )


def _csv_fields(
    path: Path, lines: Iterator[str], *, separator: str, encoding: str | None, skipped: int = 0
) -> Iterator[tuple[int, list[str]]]:
    rows = csv_rows(lines, separator=separator, strict=True)
    line = skipped
    try:
        for row in rows:
            line = rows.line_num + skipped
            yield line, row
    except csv.Error as error:
        now = rows.line_num + skipped
        if "limit" in str(error):
            raise too_long(path, now, "field") from error
        said = next(islice(lines_of(path, encoding=encoding), max(now - 1, 0), None), "")
        raise badly_quoted(path, line + 1, now, str(error), said) from error


def _without_end(line: str, end: str) -> str:
    line = line.removesuffix(end)
    return line.rstrip("\r") if end == "\n" else line


def said_separator(text: str) -> str | None:
    """The separator that a first line `sep=;` says; None where there is none."""
    line = text[:10].partition("\n")[0].rstrip("\r").strip('"')
    mark, said = line[: len(_SEPARATOR_LINE)], line[len(_SEPARATOR_LINE) :]
    return said if mark.casefold() == _SEPARATOR_LINE and len(said) == 1 else None


def _separator(path: Path, wanted: WantedColumns, layout: Layout) -> str:
    """The comma, or the separator by which alone the header has the wanted columns."""
    text = beginning_of(path, encoding=layout.encoding)
    if (said := said_separator(text)) is not None:
        return said
    line = next(filter(str.strip, io.StringIO(text, newline="")), "")
    for separator in SEPARATORS:
        header = next(csv_rows([line.rstrip("\r\n")], separator=separator), [])
        if wanted.required and len(header) > 1 and wanted.are_in(header):
            return separator
    return SEPARATORS[0]


def _is_quoted(path: Path, layout: Layout, end: str) -> bool:
    """Whether a TSV has fields in quotes that go on in the next line, as pandas writes them.

    All of it must then read as such a file, row by row: a quote at the start of a text may be alone.
    """
    opened = (
        line
        for line in lines_of(path, encoding=layout.encoding, newline=end)
        if '"' in line and any(map(_opens, _without_end(line, end).split("\t")))
    )
    if next(opened, None) is None:
        return False
    lines = lines_of(path, encoding=layout.encoding, newline=end)
    try:
        rows = (
            row for _, row in _csv_fields(path, lines, separator="\t", encoding=layout.encoding)
        )
        return len({len(row) for row in rows if row}) == 1
    except DataError:
        return False


def _opens(field: str) -> bool:
    """Whether a field begins with a quote that it does not close."""
    return field.startswith('"') and field.count('"') % 2 == 1


def _unquote(field: str) -> str:
    """A TSV field without the quotes that some programs add; a lone quote stays."""
    inner = field[1:-1]
    quoted = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else field


def _rows(
    path: Path, rows: Iterator[tuple[int, list[str]]], columns: WantedColumns
) -> Iterator[FileRow]:
    """Rows from lists of fields, the first of which is the header."""
    header = _header(rows)
    names = columns.found(path.name, header)
    positions = {name: header.index(own) for name, own in names.items()}
    for line, row in rows:
        if not any(map(str.strip, row)):
            continue  # an empty line, or separators alone, as spreadsheets leave at the end
        if len(row) != len(header):
            raise uneven(path, line, row, header)
        yield line, {name: row[position] for name, position in positions.items()}
