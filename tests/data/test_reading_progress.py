"""Large files say how far they are read, small ones nothing."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.layout import FileRow
from pipeline.data.reading_progress import lines_in, with_progress
from pipeline.data.rows import read_rows

LINES = [f"text number {number}" for number in range(20_000)]


def written(folder: Path, name: str) -> Path:
    path = folder / name
    text = "\n".join(["text", *LINES, ""])
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"text": LINES}), path)
    elif name == "saved":
        path.mkdir()
        part = "data-00000-of-00001.arrow"
        (path / "dataset_info.json").write_text("{}")
        (path / "state.json").write_text(json.dumps({"_data_files": [{"filename": part}]}))
        rows = pa.table({"text": LINES})
        with pa.ipc.new_stream(path / part, rows.schema) as stream:
            stream.write_table(rows)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".json"):
        path.write_text("[" + ",\n".join(f'{{"text": "{line}"}}' for line in LINES) + "]")
    else:
        path.write_text(text)
    return path


def read(path: Path, *, large: int) -> list[FileRow]:
    rows = read_rows(path, columns=["text"])
    return [*with_progress(rows, path, task="collect  mine", large=large)]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.json", "saved"])
def test_the_rows_are_those_of_the_file(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name)
    assert [row["text"] for _, row in read(path, large=1)] == LINES


def test_a_large_file_says_where_it_is_and_a_small_one_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.csv")
    read(path, large=1_000_000)
    assert capsys.readouterr().out == ""
    read(path, large=1)
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("collect  mine  0/")
    assert "100%" in last


@pytest.mark.parametrize(
    ("name", "least", "most"), [("a.csv", 19_000, 21_000), ("a.parquet", 20_000, 20_000)]
)
def test_lines_are_told_by_samples_and_rows_of_parquet_exactly(
    tmp_path: Path, name: str, least: int, most: int
) -> None:
    assert least <= lines_in(written(tmp_path, name)) <= most


@pytest.mark.parametrize("name", ["a.csv.gz", "a.json", "saved"])
def test_of_a_packed_file_an_array_or_arrow_the_lines_are_not_known(
    tmp_path: Path, name: str
) -> None:
    assert lines_in(written(tmp_path, name)) == 0


def test_a_file_without_rows_has_no_progress(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n")
    assert read(tmp_path / "a.csv", large=1) == []
