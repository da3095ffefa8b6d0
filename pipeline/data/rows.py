"""Reads the rows of a CSV, TSV, JSON, Parquet, Arrow or text file as strings, each with its line.

A malformed file stops the reading and names the line: a row that is skipped in silence would be
missing from every figure later. No reader holds more of a file than a row or a batch of rows.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.data.arrow_file import header_of_arrow, is_saved_dataset, parts_of_arrow, read_arrow
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
ARROW_KINDS = (".arrow", ".feather")
"""Endings of files of Arrow's own format; the folder of a saved data set is read as they are."""
_READERS: dict[str, Callable[[Path, WantedColumns, Layout], Iterator[FileRow]]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    **dict.fromkeys(JSON_KINDS, read_json),
    ".parquet": read_parquet,
    **dict.fromkeys(ARROW_KINDS, read_arrow),
    ".txt": read_text_lines,
}
KINDS = (*_READERS,)
"""Endings of the files that can be read; all but Parquet and Arrow may be packed, as `.csv.gz` or `.csv.zst`."""


def read_rows(
    path: Path,
    *,
    columns: Sequence[str],
    optional: Sequence[str] = (),
    lists: Collection[str] = (),
    ids: Collection[str] = (),
    in_sheet: bool = False,
    layout: Layout | None = None,
) -> Iterator[FileRow]:
    """The rows of `path` with `columns`, and with those of `optional` that the file has.

    Args:
        lists: columns in which a cell of JSON or Parquet may be a list; it comes as JSON.
        ids: columns of ids, in which a whole number of JSON or Parquet comes without a fraction.
        in_sheet: whether people fill the file in: a column whose name is nearly the wanted one is it.

    Raises:
        DataError: the kind of file is unknown, a column is missing, a row is malformed, or the
            text is not of the encoding.
    """
    refuse_unreadable(path)
    if (reader := _READERS.get(_kind_of(path))) is None:
        raise _unknown(path)
    wanted = WantedColumns(columns, optional, lists, ids=ids, in_sheet=in_sheet)
    yield from reader(path, wanted, layout or Layout())


def header_of(path: Path, layout: Layout) -> list[str]:
    """The columns of a file, in its order; of JSON, those that any of the first rows has.

    Raises:
        DataError: two columns have one name.
    """
    kind = _kind_of(path)
    if kind in JSON_KINDS:
        return header_of_json(path, layout)
    if kind in ARROW_KINDS:
        header = header_of_arrow(path)
    else:
        header = header_of_parquet(path) if kind == ".parquet" else header_of_table(path, layout)
    refuse_repeated(path, header)
    return header


def is_folder_of_parts(path: Path) -> bool:
    """Whether the path is a folder that stands for one table: parts of Parquet, or a saved data set."""
    return path.is_dir() and (ending_of(path) == ".parquet" or is_saved_dataset(path))


def _kind_of(path: Path) -> str:
    return ARROW_KINDS[0] if is_saved_dataset(path) else ending_of(path)


def refuse_unreadable(path: Path) -> None:
    """Raises DataError for a folder without parts, a git-lfs pointer, a web page, and what is no file of rows."""
    if path.is_dir():
        parts = parts_of_arrow if is_saved_dataset(path) else parts_of_parquet
        parts(path)
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
