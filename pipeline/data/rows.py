"""Reads the rows of a CSV, TSV, JSON, Parquet or text file as strings, each with its line.

A malformed file stops the reading and names the line: a row that is skipped in silence would be
missing from every figure later. No reader holds more of a file than a row or a batch of rows.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.data.foreign_kinds import SAVE_AS, WORKBOOKS, refuse_other_kind
from pipeline.data.json_file import header_of_json, read_json
from pipeline.data.layout import PACKED, FileRow, Layout, ending_of
from pipeline.data.parquet_file import header_of_parquet, parts_of_parquet, read_parquet
from pipeline.data.table_file import (
    header_of_table,
    read_csv,
    read_text_lines,
    read_tsv,
    refuse_repeated,
)
from pipeline.data.wanted_columns import WantedColumns

JSON_KINDS = (".jsonl", ".ndjson", ".json")
"""Endings of files of JSON objects."""
_READERS: dict[str, Callable[[Path, WantedColumns, Layout], Iterator[FileRow]]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    **dict.fromkeys(JSON_KINDS, read_json),
    ".parquet": read_parquet,
    ".txt": read_text_lines,
}
KINDS = (*_READERS,)
"""Endings of the files that can be read; all but Parquet may be packed, as `.csv.gz` or `.csv.zst`."""


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
    if (reader := _READERS.get(ending_of(path))) is None:
        raise _unknown(path)
    yield from reader(path, WantedColumns(columns, optional, lists), layout or Layout())


def header_of(path: Path, layout: Layout) -> list[str]:
    """The columns of a file, in its order; of JSON, those that any of the first rows has.

    Raises:
        DataError: two columns have one name.
    """
    kind = ending_of(path)
    if kind in JSON_KINDS:
        return header_of_json(path, layout)
    header = header_of_parquet(path) if kind == ".parquet" else header_of_table(path, layout)
    refuse_repeated(path, header)
    return header


def is_folder_of_parts(path: Path) -> bool:
    """Whether the path is a folder that stands for one Parquet table."""
    return path.is_dir() and ending_of(path) == ".parquet"


def refuse_unreadable(path: Path) -> None:
    """Raises DataError for a folder without parts, a git-lfs pointer, a web page, and what is no file of rows."""
    if path.is_dir():
        parts_of_parquet(path)
        return
    if path.stat().st_size:  # each reader has its own words for an empty file
        refuse_foreign(path, of="data", expected="rows, not what stands for them")
        refuse_other_kind(path)


def _unknown(path: Path) -> DataError:
    return DataError(
        path.name,
        expected=f"a file of one of these kinds: {', '.join(_READERS)}, and {', '.join(PACKED)} of them",
        next_step=f"{SAVE_AS}; if it is text, give it the ending of its kind"
        if path.suffix.lower() in WORKBOOKS
        else "convert it, for example save it as CSV in UTF-8",
    )
