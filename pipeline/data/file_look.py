"""Says how a file is written, from its bytes: kind, packing, encoding, separator."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.arrow_file import is_saved_dataset
from pipeline.data.columns import names_columns
from pipeline.data.encodings import UTF8, likely_encoding, marked, name_of
from pipeline.data.foreign_kinds import refuse_other_text
from pipeline.data.layout import SEPARATORS, Layout, csv_rows, ending_of
from pipeline.data.packed import packing_of
from pipeline.data.rows import ARROW_KINDS, JSON_KINDS, KINDS, refuse_unreadable
from pipeline.data.table_file import said_separator
from pipeline.data.text_file import beginning_of, lines_of, sample_of

_PLAIN = {".csv": "CSV", ".tsv": "TSV", ".txt": "text", ".parquet": "Parquet"}
_NAMES = {**_PLAIN, **dict.fromkeys(ARROW_KINDS, "Arrow")}
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_STREAMS = (".arrows", ".ipc")
"""Other endings of Arrow's streams."""
_TABLES = (".csv", ".tsv")
_ROWS = 100
_MOST_ODD_ROWS = 0.1
_RARE = ("^", "~", "\x01", "\x1f", "¦", "，", "、", ":")
_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*\{)')
_WORDS_OF_A_NAME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a file is written.

    Attributes:
        ending: the ending by which it is read; its own, or the one that it should have.
        layout: what its source must say beside that.
        encoding: as Python calls it; None for Parquet and Arrow.
        separator: between its columns; None where nothing stands between them.
        packing: `gzip` or `zstd`; None where it is not packed.
    """

    ending: str
    layout: Layout
    encoding: str | None = None
    separator: str | None = None
    packing: str | None = None

    @property
    def format(self) -> str:
        """The kind of file: CSV, TSV, JSON, Parquet, Arrow or text."""
        return _NAMES.get(self.ending, "JSON")

    @property
    def shown(self) -> str:
        """All of it in words."""
        between = f" with {_MARKS[self.separator]} between columns" if self.separator else ""
        packed = f", packed with {self.packing}" if self.packing else ""
        named = f", {name_of(self.encoding)}" if self.encoding else ""
        return f"{self.format}{between}{named}{packed}"


def look_at(path: Path) -> Look:
    """How the file is written.

    Raises:
        DataError: it is empty, a workbook, or in no encoding that is known.
    """
    if is_saved_dataset(path) or _is_arrow(path):
        refuse_unreadable(path)
        return Look(ending=ARROW_KINDS[0], layout=Layout())
    if path.is_dir() or _starts_with(path, b"PAR1"):
        refuse_unreadable(path)
        return Look(ending=".parquet", layout=Layout())
    sample = sample_of(path)
    if not sample.strip():
        raise DataError(
            f"{path.name} is empty",
            expected="a header and rows, or JSON lines",
            next_step="name another file",
        )
    refuse_unreadable(path)
    own = ending_of(path)
    if own == ".parquet":
        return Look(ending=own, layout=Layout())
    if own in ARROW_KINDS and b"\0" in sample:
        return Look(ending=own, layout=Layout())
    encoding = likely_encoding(sample)
    if encoding is None:  # the reader names the line, and says what can be done
        for _ in lines_of(path):
            pass
    said = None if encoding in (UTF8, marked(sample)) else encoding
    packing = packing_of(path)
    text = beginning_of(path, encoding=said)
    refuse_other_text(path, text)
    if _JSON.match(text) or (own in JSON_KINDS and not _has_header(text, separator_of(text))):
        ending = own if own in JSON_KINDS else ".jsonl"
        layout = Layout(encoding=said)
        return Look(ending=ending, layout=layout, encoding=encoding, packing=packing)
    separator = separator_of(text, "\t" if own == ".tsv" else ",")
    if own == ".txt" and not _has_header(text, separator):
        layout = Layout(encoding=said)
        return Look(ending=own, layout=layout, encoding=encoding, packing=packing)
    ending = own if own in _TABLES else ".tsv" if separator == "\t" else ".csv"
    usual = "\t" if ending == ".tsv" else ","
    return Look(
        ending=ending,
        layout=Layout(encoding=said, separator=None if separator == usual else separator),
        encoding=encoding,
        separator=separator,
        packing=packing,
    )


def is_read_as_named(path: Path, look: Look) -> bool:
    """Whether a build, which knows the ending alone, reads the file as what it is."""
    own = ending_of(path)
    return is_saved_dataset(path) or (own == look.ending and own in KINDS)


def separator_of(text: str, usual: str = ",") -> str:
    """The separator by which the header names columns and most of them come out, as many in each row.

    Of equals it is the one that stands less often before a blank, as the commas of a sentence do. One that
    hardly any file has must make names of columns that people use.
    """
    if (said := said_separator(text)) is not None:
        return said
    fitting = {mark: width for mark in SEPARATORS if (width := _width(text, mark)) > 1}
    if not fitting:
        named = (mark for mark in SEPARATORS if _names(text, mark))
        rare = (mark for mark in _RARE if _names(text, mark) and _width(text, mark) > 1)
        return next(chain(named, rare), usual)

    def likeness(mark: str) -> tuple[bool, int, float]:
        return _names(text, mark), fitting[mark], -text.count(mark + " ") / text.count(mark)

    return max(fitting, key=likeness)


def _is_arrow(path: Path) -> bool:
    """Whether a file begins like Arrow's file format or its stream, whose mark other files may hold, too."""
    if not path.is_file():
        return False
    is_named = path.suffix.lower() in (*ARROW_KINDS, *_STREAMS)
    return _starts_with(path, b"ARROW1") or (is_named and _starts_with(path, b"\xff\xff\xff\xff"))


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _has_header(text: str, separator: str) -> bool:
    """Whether the first line names columns, rather than being a text with commas in it."""
    if said_separator(text) is not None:
        return True
    return _names(text, separator) and _width(text, separator) > 1


def _names(text: str, separator: str) -> bool:
    """Whether the first line that is not blank has several names of columns, none of them a sentence."""
    line = next(filter(str.strip, io.StringIO(text, newline="")), "").rstrip("\r\n")
    header: Sequence[str] = next(csv_rows([line], separator=separator), [])
    short = all(len(name.split()) <= _WORDS_OF_A_NAME for name in header)
    return len(header) > 1 and short and names_columns(header)


def _width(text: str, separator: str) -> int:
    """The number of columns of the header; 0 where many of the first rows have another."""
    widths = Counter[int]()
    header = 0
    try:
        for row in csv_rows(io.StringIO(text, newline=""), separator=separator):
            header = header or len(row)
            if row:
                widths[len(row)] += 1
            if widths.total() == _ROWS:
                break
    except csv.Error:
        return _width_without_quotes(text) if separator == "\t" else 0
    odd = widths.total() - widths[header]
    if odd <= _MOST_ODD_ROWS * widths.total() and (widths.total() > 1 or separator != "\t"):
        return header
    return _width_without_quotes(text) if separator == "\t" else 0


def _width_without_quotes(text: str) -> int:
    """The number of columns between tabs where a quote is a letter like others; 0 where rows differ."""
    lines = islice(filter(str.strip, io.StringIO(text)), _ROWS)
    widths = {line.count("\t") + 1 for line in lines}
    return max(widths) if len(widths) == 1 else 0
