"""Arrow and Feather files, and folders that `datasets` saved, give their rows or one message."""

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from pipeline.core.errors import DataError
from pipeline.data.file_look import is_read_as_named, look_at
from pipeline.data.layout import Layout
from pipeline.data.rows import header_of, is_folder_of_parts, read_rows

TABLE = pa.table({"text": ["Fine.", "Dull.", "é"], "label": [1, 0, None]})
FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["negative", "positive"]),
        "topics": datasets.List(datasets.ClassLabel(names=["price", "delivery"])),
    }
)
datasets.disable_progress_bars()


def rows_of(path: Path, *names: str) -> list[dict[str, str]]:
    found = read_rows(path, columns=names or ["text", "label"], lists=["topics"])
    return [row for _, row in found]


def write(path: Path, *, stream: bool, table: pa.Table = TABLE) -> Path:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


def saved(folder: Path, rows: int = 3, *, shards: int = 1) -> Path:
    """A folder as `save_to_disk` writes it."""
    values = {
        "text": [f"text {number}" for number in range(rows)],
        "label": [number % 3 - 1 for number in range(rows)],
        "topics": [[0, 1], [], [1]][:rows] + [[]] * (rows - 3),
    }
    made = datasets.Dataset.from_dict(values, features=FEATURES)
    made.save_to_disk(str(folder), num_shards=shards)
    return folder


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("ending", ["arrow", "feather"])
def test_a_file_gives_its_rows_whichever_way_it_was_written(
    tmp_path: Path, ending: str, stream: bool
) -> None:
    path = write(tmp_path / f"t.{ending}", stream=stream)
    assert [row["text"] for row in rows_of(path)] == ["Fine.", "Dull.", "é"]
    assert [row["label"] for row in rows_of(path)] == ["1", "0", ""]
    assert header_of(path, Layout()) == ["text", "label"]
    assert look_at(path).shown == "Arrow"


@pytest.mark.parametrize("packing", ["lz4", "zstd", "uncompressed"])
def test_a_packed_feather_file_is_read(tmp_path: Path, packing: str) -> None:
    feather.write_feather(TABLE, str(tmp_path / "t.feather"), compression=packing)
    assert len(rows_of(tmp_path / "t.feather")) == 3


def test_a_saved_data_set_gives_names_of_classes_and_nothing_for_rows_without_one(
    tmp_path: Path,
) -> None:
    folder = saved(tmp_path / "reviews")
    assert is_folder_of_parts(folder)
    assert rows_of(folder, "text", "label", "topics") == [
        {"text": "text 0", "label": "", "topics": '["price", "delivery"]'},
        {"text": "text 1", "label": "negative", "topics": "[]"},
        {"text": "text 2", "label": "positive", "topics": '["delivery"]'},
    ]
    assert header_of(folder, Layout()) == ["text", "label", "topics"]
    assert look_at(folder).shown == "Arrow"
    assert is_read_as_named(folder, look_at(folder))


def test_the_parts_of_a_data_set_come_in_its_own_order(tmp_path: Path) -> None:
    folder = saved(tmp_path / "reviews", 20, shards=3)
    assert [row["text"] for row in rows_of(folder)] == [f"text {n}" for n in range(20)]


def cut(path: Path, *, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def other_classes(folder: Path) -> None:
    part = next(folder.glob("*.arrow"))
    with pa.OSFile(str(part)) as file:
        table = pa.ipc.open_stream(file).read_all()
    kept = table.schema.metadata[b"huggingface"].replace(b'"negative", "positive"', b'"negative"')
    write(part, stream=True, table=table.replace_schema_metadata({b"huggingface": kept}))


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a part cut": (lambda f: cut(next(f.glob("*.arrow")), by=20), "its end is missing"),
    "a mark cut": (lambda f: cut(next(f.glob("*.arrow")), by=8), "its end is missing"),
    "half a part": (
        lambda f: cut(p := next(f.glob("*.arrow")), by=p.stat().st_size // 2),
        "its end is missing",
    ),
    "an empty part": (lambda f: next(f.glob("*.arrow")).write_bytes(b""), "its end is missing"),
    "no part": (lambda f: next(f.glob("*.arrow")).unlink(), "lacks data-00000-of-00001.arrow"),
    "another kind": (lambda f: next(f.glob("*.arrow")).write_text("text,label\n"), "not Arrow"),
    "no parts listed": (lambda f: change(f / "state.json", _data_files=[]), "lacks a list"),
    "a broken list": (lambda f: (f / "state.json").write_text("{"), "lacks a list"),
    "a part elsewhere": (
        lambda f: change(f / "state.json", _data_files=[{"filename": "../../other.arrow"}]),
        "lacks other.arrow",
    ),
    "an odd list": (lambda f: change(f / "state.json", _data_files={"a": 1}), "lacks a list"),
    "odd entries": (lambda f: change(f / "state.json", _data_files=[7]), "lacks a list"),
    "splits": (
        lambda f: (f / "dataset_dict.json").write_text('{"splits": ["train", "test"]}'),
        "a folder of the data sets train, test",
    ),
    "an unknown class": (other_classes, "holds the class 1"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_is_not_whole_gives_one_message(tmp_path: Path, case: str) -> None:
    spoil, words = FOLDERS[case]
    folder = saved(tmp_path / "reviews")
    spoil(folder)
    with pytest.raises(DataError, match=words):
        rows_of(folder)


TWICE = pa.table([["a"], ["b"], ["c"]], names=["text", "text", "label"])
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda p: p.write_bytes(b""), "its end is missing"),
    "a CSV": (lambda p: p.write_text("text,label\na,b\n"), "not Arrow"),
    "an archive": (lambda p: p.write_bytes(b"PK\x03\x04rest"), "another archive"),
    "a web page": (lambda p: p.write_text("<!DOCTYPE html>"), "a web page"),
    "a cut file": (lambda p: cut(write(p, stream=False), by=30), "not Arrow"),
    "a cut stream": (lambda p: cut(write(p, stream=True), by=30), "its end is missing"),
    "no column": (lambda p: write(p, stream=True, table=TABLE.drop(["label"])), "has no column"),
    "a column twice": (lambda p: write(p, stream=True, table=TWICE), "there twice"),
    "a list as text": (
        lambda p: write(p, stream=True, table=pa.table({"text": [["a"]], "label": [1]})),
        "holds a list",
    ),
    "an object as text": (
        lambda p: write(p, stream=True, table=pa.table({"text": [{"a": 1}], "label": [1]})),
        "holds an object",
    ),
    "bytes as text": (
        lambda p: write(p, stream=True, table=pa.table({"text": [b"\xff"], "label": [1]})),
        "not UTF-8",
    ),
    "the old Feather": (
        lambda p: p.write_bytes(b"FEA1" + b"\0" * 40 + b"FEA1"),
        "an old Feather file",
    ),
    "no UTF-8": (
        lambda p: (
            write(p, stream=True),
            p.write_bytes(p.read_bytes().replace("é".encode(), b"\xff\xfe")),
        ),
        "not Arrow",
    ),
    "spoilt within": (
        lambda p: (write(p, stream=False), p.write_bytes(p.read_bytes().replace(b"\x10", b"\xf0"))),
        "not Arrow",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_something_else_gives_one_message(tmp_path: Path, case: str) -> None:
    spoil, words = FILES[case]
    path = tmp_path / "t.arrow"
    spoil(path)
    with pytest.raises(DataError, match=words):
        rows_of(path)
