"""The sheet of labels that are probably wrong: people fill it in, and annotations/ takes it as it is."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.data.annotations import read_annotations
from pipeline.data.suspect_sheet import SuspectRow, write_suspects
from pipeline.problem.problems import problem_named

ROW = SuspectRow(
    id="1a", text="=warm", second=None, label="negative", suggested="positive", confidence=0.98765
)
LATER = SuspectRow(
    id="2b", text="dull", second=None, label="positive", suggested="negative", confidence=0.9
)


def lines(file: Path) -> list[list[str]]:
    text = file.read_bytes().decode("utf-8-sig")
    return [*csv.reader(io.StringIO(text, newline=""))]


def test_it_has_the_label_and_the_suggested_one_most_suspicious_first(tmp_path: Path) -> None:
    write_suspects(tmp_path / "suspects.csv", [ROW, LATER])
    head = ["rank", "id", "text", "annotator", "label", "label_now", "suggested", "confidence"]
    assert lines(tmp_path / "suspects.csv") == [
        head,
        ["1", "1a", "'=warm", "", "", "negative", "positive", "0.988"],
        ["2", "2b", "dull", "", "", "positive", "negative", "0.900"],
    ]


def test_a_pair_shows_both_texts(tmp_path: Path) -> None:
    pair = SuspectRow(id="3c", text="a", second="-b", label="x", suggested="y", confidence=1.0)
    write_suspects(tmp_path / "suspects.csv", [pair])
    assert lines(tmp_path / "suspects.csv")[1][2] == "a\n-b"


def test_the_sources_own_ids_are_the_last_column_where_a_row_has_one(tmp_path: Path) -> None:
    write_suspects(tmp_path / "suspects.csv", [replace(ROW, source_id="=T-7"), LATER])
    assert [line[-2:] for line in lines(tmp_path / "suspects.csv")] == [
        ["confidence", "source_id"],
        ["0.988", "'=T-7"],
        ["0.900", ""],
    ]


@pytest.mark.parametrize("own", [None, "T-7"], ids=["no own ids", "own ids"])
def test_a_filled_in_sheet_is_read_as_annotations(tmp_path: Path, own: str | None) -> None:
    write_suspects(tmp_path / "suspects.csv", [replace(ROW, source_id=own), LATER])
    head, first, second = lines(tmp_path / "suspects.csv")
    first[3:5] = ["kim", "positive"]
    with (tmp_path / "suspects.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([head, first, second])
    votes = read_annotations(
        tmp_path,
        problem=problem_named("classification"),
        labels=["negative", "positive"],
        known={"1a", "2b"},
    )
    assert votes == {"1a": {"kim": "positive"}}
