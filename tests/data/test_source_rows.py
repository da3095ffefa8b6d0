"""Batches of a source hold its rows in the order of the file, and name the line of a bad one."""

from pathlib import Path
from typing import Any

import pyarrow as pa
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
