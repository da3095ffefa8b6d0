"""Says how a file is written, from its bytes: kind, encoding, separator."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.encodings import decoded, likely_encoding, marked, name_of
from pipeline.data.rows import KINDS, SEPARATORS, Layout, refuse_unreadable

_NAMES = {".csv": "CSV", ".tsv": "TSV", ".parquet": "Parquet"}
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT = 1_000_000
_ROWS = 100
_MOST_ODD_ROWS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a file is written.

    Attributes:
        ending: the ending by which it is read; its own, or the one that it should have.
        layout: what its source must say beside that.
        shown: all of it in words.
    """

    ending: str
    layout: Layout
    shown: str


def look_at(path: Path) -> Look:
    """How the file is written.

    Raises:
        DataError: it is empty, a workbook, compressed, or in no encoding that is known.
    """
    data = path.read_bytes()
    if not data.strip():
        raise DataError(
            f"{path.name} is empty",
            expected="a header and rows, or JSON lines",
            next_step="name another file",
        )
    if data.startswith(b"PAR1"):
        return Look(ending=".parquet", layout=Layout(), shown="Parquet")
    refuse_unreadable(path)
    encoding = likely_encoding(data)
    text = decoded(data, name=path.name, encoding=encoding)
    own = path.suffix.lower()
    said = None if encoding in ("utf-8", marked(data)) else encoding
    shown = name_of(encoding or "utf-8")
    if own in (".json", ".jsonl", ".ndjson") or text.lstrip().startswith(("{", "[{")):
        ending = own if own in KINDS and own not in _NAMES else ".jsonl"
        return Look(ending=ending, layout=Layout(encoding=said), shown=f"JSON, {shown}")
    separator = separator_of(text)
    ending = own if own in _NAMES else ".tsv" if separator == "\t" else ".csv"
    usual = "\t" if ending == ".tsv" else ","
    return Look(
        ending=ending,
        layout=Layout(encoding=said, separator=None if separator == usual else separator),
        shown=f"{_NAMES[ending]} with {_MARKS[separator]} between columns, {shown}",
    )


def separator_of(text: str) -> str:
    """The separator by which most columns come out, the same number in each row."""
    first = text[:10].partition("\n")[0].strip().strip('"')
    if first.startswith("sep=") and len(first) == 5:
        return first[-1]
    part = text[:_LOOKED_AT]
    fitting = {mark: width for mark in SEPARATORS if (width := _width(part, mark)) > 1}
    return max(fitting, key=fitting.__getitem__, default=SEPARATORS[0])


def _width(text: str, separator: str) -> int:
    """The number of columns of the header; 0 where many of the first rows have another."""
    widths = Counter[int]()
    header = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            header = header or len(row)
            if row:
                widths[len(row)] += 1
            if widths.total() == _ROWS:
                break
    except csv.Error:
        return 0
    odd = widths.total() - widths[header]
    return header if odd <= _MOST_ODD_ROWS * widths.total() else 0
