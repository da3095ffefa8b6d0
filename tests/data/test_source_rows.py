"""Batches of a source hold its rows in the order of the file, and name the line of a bad one."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import DataError
from pipeline.core.sections import Source
from pipeline.data.records import record_id
from pipeline.data.row_ids import ids_of
from pipeline.data.source_rows import BATCH_CHARACTERS, BATCH_ROWS, batches_of
from pipeline.problem.problems import problem_named

LABELS = ["bad", "good"]


def read(file: Path, **changes: Any) -> list[pa.RecordBatch]:
    named = {"text_column": "text", "label_column": "label"} | changes
    source = Source(name="mine", path=file.name, **named)
    problem = problem_named("classification")
    return [*batches_of(source, file, problem=problem, labels=LABELS)]


def test_a_batch_ends_after_so_many_rows(tmp_path: Path) -> None:
    count = BATCH_ROWS + 10
    lines = [f"text {number},{LABELS[number % 2]}" for number in range(count)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    batches = read(tmp_path / "a.csv")
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, 10]
    rows = pa.Table.from_batches(batches)
    assert rows["text"].to_pylist() == [f"text {number}" for number in range(count)]
    assert rows["label"].to_pylist() == [LABELS[number % 2] for number in range(count)]
    ids = ids_of(rows["id"].to_numpy()).to_pylist()
    assert ids == [record_id("mine", text) for text in rows["text"].to_pylist()]


def test_a_batch_of_long_texts_ends_sooner(tmp_path: Path) -> None:
    long = "x" * (BATCH_CHARACTERS // 2)
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *[f"{long},good"] * 5]))
    assert [batch.num_rows for batch in read(tmp_path / "a.csv")] == [2, 2, 1]


def test_a_bad_label_names_its_line_also_far_behind(tmp_path: Path) -> None:
    lines = ["text,label", *["fine,good"] * (BATCH_ROWS + 5), "odd,none of them"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"mine, a\.csv, line {len(lines)}: .*'none of them'"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("column", ["text", "other"])
def test_half_of_a_character_names_its_line(tmp_path: Path, column: str) -> None:
    row = {"text": '"a"', "other": '"b"'} | {column: '"x\\ud800"'}
    text = f'{{"text": {row["text"]}, "other": {row["other"]}, "label": "good"}}\n'
    (tmp_path / "a.jsonl").write_text('{"text": "a", "other": "b", "label": "good"}\n' + text)
    with pytest.raises(DataError, match="line 2: half of a character"):
        read(tmp_path / "a.jsonl", second_text_column="other")


def test_a_file_of_which_no_row_is_wanted_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,good\n")
    with pytest.raises(DataError, match=r"mine: a\.csv has no row to read"):
        read(tmp_path / "a.csv", where={"label": "bad"})


def own_ids_of(file: Path, **changes: Any) -> list[str]:
    named = {"label_column": None, "id_column": "id"} | changes
    batches = read(file, **named)
    return [own for batch in batches for own in batch.column("source_id").to_pylist()]


def test_own_ids_are_kept_as_they_are_written(tmp_path: Path) -> None:
    written = ["007", "1.0", "1e5", " 8", "T-1", "번호 9", "9007199254740993"]
    lines = [f"text {own},{own}" for own in written]
    (tmp_path / "a.csv").write_text("\n".join(["text,id", *lines]))
    assert own_ids_of(tmp_path / "a.csv") == written


WHOLE = {
    "JSON": "1.jsonl",
    "whole numbers of Parquet": "2.parquet",
    "fractions of Parquet": "3.parquet",
    "decimals of Parquet": "4.parquet",
    "Arrow": "5.arrow",
}


@pytest.mark.parametrize("kind", WHOLE)
def test_numbers_as_own_ids_have_no_fraction(tmp_path: Path, kind: str) -> None:
    file = tmp_path / WHOLE[kind]
    numbers = [7, 8_000_000_000]
    types = {"fractions": pa.float64(), "decimals": pa.decimal128(12, 0)}
    ids = pa.array(numbers, types.get(kind.split(maxsplit=1)[0], pa.int64()))
    rows = pa.table({"text": ["one", "two"], "id": ids})
    if kind == "JSON":
        file.write_text('{"text": "one", "id": 7}\n{"text": "two", "id": 8000000000.0}\n')
    elif kind == "Arrow":
        feather.write_feather(rows, file)
    else:
        pq.write_table(rows, file)
    assert own_ids_of(file) == ["7", "8000000000"]


@pytest.mark.parametrize("cell", ["", "  ", "null"])
def test_an_empty_own_id_names_its_line(tmp_path: Path, cell: str) -> None:
    if cell == "null":
        file = tmp_path / "a.jsonl"
        file.write_text('{"text": "a", "id": "1"}\n{"text": "b", "id": null}\n')
    else:
        file = tmp_path / "a.tsv"
        file.write_text(f"text\tid\na\t1\nb\t{cell}\n")
    with pytest.raises(DataError, match=r"line \d: the column 'id' is empty"):
        own_ids_of(file)


def test_only_rows_that_are_wanted_need_an_own_id(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,id,country\na,1,KR\nb,,US\n")
    assert own_ids_of(tmp_path / "a.csv", where={"country": "KR"}) == ["1"]


def test_an_own_id_changes_no_id_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,id,label\na,1,good\nb,2,bad\n")
    with_own = pa.Table.from_batches(read(tmp_path / "a.csv", id_column="id"))
    assert with_own.drop(["source_id"]) == pa.Table.from_batches(read(tmp_path / "a.csv"))
