"""Reads the rows of an Arrow or Feather file, or of a folder that `datasets` saved, batch by batch."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.errors import DataError
from pipeline.data.arrow_values import columns_not_to_show, odd_time
from pipeline.data.layout import FileRow, Layout
from pipeline.data.wanted_columns import WantedColumns

_STATE, _SPLITS = "state.json", "dataset_dict.json"
_FILE_FORMAT = b"ARROW1"
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def is_saved_dataset(path: Path) -> bool:
    """Whether the path is a folder that `save_to_disk` of Hugging Face's `datasets` wrote."""
    return path.is_dir() and any((path / name).is_file() for name in (_STATE, _SPLITS))


def read_arrow(path: Path, columns: WantedColumns, layout: Layout) -> Iterator[FileRow]:
    """The rows of the file, or of the parts of a saved data set, each with its number.

    A cell of a ClassLabel comes as the label's name; a label below 0, which `datasets` gives to rows
    without one, as an empty cell.

    Raises:
        DataError: it is not Arrow, is cut off, lacks a column, or has two of one name.
    """
    del layout  # Arrow says it itself
    number = 0
    for part in parts_of_arrow(path):
        with _opened(part) as (schema, batches):
            names = columns.found(part.name, schema.names)
            own = [*dict.fromkeys(names.values())]
            classes = {name: found for name in own if (found := class_names(schema, name))}
            for row in _rows(part, batches, own):
                number += 1
                where = f"{path.name}, row {number}"
                cells = {}
                for name, column in names.items():
                    value = named(row[column], classes.get(column), column, where)
                    cells[name] = columns.cell(name, value, where)
                yield number, cells


def header_of_arrow(path: Path) -> list[str]:
    """The columns of the file, or of the first part of a saved data set."""
    with _opened(parts_of_arrow(path)[0]) as (schema, _):
        return [*schema.names]


def columns_of_odd_arrow(path: Path) -> list[str]:
    """Columns of bytes that are no text, and of times that are out of range, told by the first batch."""
    part = parts_of_arrow(path)[0]
    with _opened(part) as (_, batches):
        first = next(iter(batches), None)
        if first is not None:
            first.validate(full=True)
    return [] if first is None else columns_not_to_show(first)


def parts_of_arrow(path: Path) -> list[Path]:
    """The file itself, or the parts of a saved data set in its own order.

    Raises:
        DataError: the folder holds several data sets, names no part, or lacks one.
    """
    if path.is_file():
        return [path]
    splits = _json_of(path / _SPLITS).get("splits", [])
    if isinstance(splits, list) and splits:
        raise DataError(
            f"{path.name} is a folder of the data sets {', '.join(map(str, splits))}",
            expected="the folder of one data set, for a source is one table",
            next_step=f"name one of them, as in path: {path.name}/{splits[0]}",
        )
    listed = _json_of(path / _STATE).get("_data_files", [])
    entries = listed if isinstance(listed, list) else []
    parts = [path / Path(str(e.get("filename"))).name for e in entries if isinstance(e, dict)]
    if not parts or (missing := [part for part in parts if not part.is_file()]):
        raise DataError(
            f"{path.name} lacks {missing[0].name if parts else 'a list of its parts'}",
            expected=f"the whole folder as `save_to_disk` wrote it, with all parts that {_STATE} names",
            next_step="copy the folder again, or save the data set again",
        )
    return parts


def _json_of(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an empty one where there is none."""
    with suppress(OSError, ValueError):
        value = json.loads(path.read_text(encoding="utf-8"))
        return value if isinstance(value, dict) else {}
    return {}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """The columns of a part, and its batches, which are read one by one."""
    with path.open("rb") as start:
        magic = start.read(len(_FILE_FORMAT))
    try:
        with pa.OSFile(str(path)) as file:
            if magic == _FILE_FORMAT:
                reader = pa.ipc.open_file(file)
                batches = map(reader.get_batch, range(reader.num_record_batches))
            else:
                _require_end(path)
                reader = batches = pa.ipc.open_stream(file)
            yield reader.schema, batches
    except (OSError, pa.ArrowException) as error:
        raise _not_arrow(path, error) from error


def _require_end(path: Path) -> None:
    """Raises DataError for a stream without its last mark: Arrow takes one that is cut between batches."""
    with path.open("rb") as stream:
        stream.seek(-min(len(_END_OF_STREAM), path.stat().st_size), 2)
        end = stream.read()
    if end != _END_OF_STREAM:
        raise _not_arrow(path, "its end is missing")


def _rows(
    path: Path, batches: Iterator[pa.RecordBatch], names: list[str]
) -> Iterator[dict[str, Any]]:
    try:
        for batch in batches:
            wanted = batch.select(names)
            wanted.validate(full=True)  # Arrow trusts a file, and reads where its numbers point
            yield from wanted.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise _not_arrow(path, error) from error
    except (OverflowError, ValueError, LookupError) as error:
        raise odd_time(path, names) from error


def _not_arrow(path: Path, why: object) -> DataError:
    return DataError(
        f"{path.name} is not Arrow, or not all of it ({str(why).strip()})",
        expected="a whole Arrow or Feather file",
        next_step="copy or download the file again; if it is of another kind, give it the ending of that kind",
    )


def class_names(schema: pa.Schema, column: str) -> list[str] | None:
    """The names of a ClassLabel, alone or in a list, as `datasets` keeps them in the file itself."""
    kept = (schema.metadata or {}).get(b"huggingface", b"{}")
    feature: Any = {}
    with suppress(ValueError, AttributeError):
        feature = json.loads(kept).get("info", {}).get("features", {}).get(column, {})
    while isinstance(feature, Mapping) and isinstance(feature.get("feature"), Mapping):
        feature = feature["feature"]
    names = feature.get("names") if isinstance(feature, Mapping) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def named(value: Any, names: list[str] | None, column: str, where: str) -> Any:
    """A value with the names of its classes in the place of their numbers."""
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [named(one, names, column, where) for one in value]
    if value < 0:
        return None
    if value >= len(names):
        raise DataError(
            f"{where}: the column {column!r} holds the class {value}",
            expected=f"a class below {len(names)}: {', '.join(names[:10])}",
            next_step="save the data set again with all names of its ClassLabel",
        )
    return names[value]
