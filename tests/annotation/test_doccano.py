"""doccano's own exports are read, and what is written is what it imports."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.doccano import (
    read_doccano,
    read_doccano_csv,
    write_doccano,
    write_doccano_csv,
)
from pipeline.annotation.foreign_votes import AnsweredRow, ForeignVote
from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS

ROW = LabellingRow(id="0123456789abcdef", source="s", text="좋아요", second=None, label=None)


def read(path: Path, *lines: dict[str, Any], kind: str = "classification") -> list[ForeignVote]:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return [*read_doccano(path, QUESTIONS[kind])]


def test_a_file_of_one_person_has_that_persons_name(tmp_path: Path) -> None:
    line = {"id": 12, "text": "좋아요", "label": ["C#"], "Comments": ["sure", "or not"]}
    [vote] = read(tmp_path / "mina.jsonl", line)
    assert (vote.annotator, vote.values, vote.texts) == ("mina", ("C#",), ("좋아요",))
    assert vote.notes == {"comment": "sure\nor not"}
    assert vote.id == ""  # 12 is doccano's own number
    [vote] = read(tmp_path / "all.jsonl", line)
    assert vote.annotator == ""


def test_who_gave_an_answer_and_how_is_read_from_the_line(tmp_path: Path) -> None:
    line = {"id": 12, "row_id": ROW.id, "text": "a", "label": ["C#"], "annotator": "p1"}
    [vote] = read(tmp_path / "all.jsonl", line | {"seconds": 1.5, "time": "2026-01-01"})
    assert (vote.id, vote.annotator) == (ROW.id, "p1")
    assert vote.notes == {"seconds": 1.5, "time": "2026-01-01"}


@pytest.mark.parametrize(
    ("kind", "empty", "values", "skipped"),
    [
        ("classification", None, None, False),
        ("multi_label", None, None, False),
        ("classification", "skipped", None, True),
        ("multi_label", "skipped", None, True),
        ("multi_label", "none", (), False),
        ("classification", "none", None, False),
    ],
)
def test_an_empty_list_of_labels_is_what_the_line_says_and_else_no_answer(
    tmp_path: Path, kind: str, empty: str | None, values: tuple[str, ...] | None, skipped: bool
) -> None:
    [vote] = read(tmp_path / "all.jsonl", {"text": "a", "label": [], "empty": empty}, kind=kind)
    assert (vote.values, vote.skipped) == (values, skipped)


def test_a_label_that_was_given_to_a_skipped_row_in_doccano_counts(tmp_path: Path) -> None:
    line = {"text": "a", "label": ["C#"], "empty": "skipped"}
    [vote] = read(tmp_path / "all.jsonl", line)
    assert (vote.values, vote.skipped) == (("C#",), False)


def test_labels_of_parts_of_a_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"all\.jsonl, line 1: an object with text, label"):
        read(tmp_path / "all.jsonl", {"text": "a", "label": [[0, 1, "C#"]]})


@pytest.mark.parametrize(
    ("kind", "cell", "values"),
    [
        ("multi_label", "C#", ("C#",)),
        ("multi_label", "C##a#b", ("C#", "a#b")),
        ("multi_label", "naïve#null", ("naïve", "null")),
        ("multi_label", "naïve#unheard", ("naïve", "unheard")),
        ("classification", "a#b", ("a#b",)),
        ("classification", "", None),
    ],
)
def test_a_cell_is_taken_apart_where_the_labels_of_the_product_end(
    tmp_path: Path, kind: str, cell: str, values: tuple[str, ...] | None
) -> None:
    path = tmp_path / "all.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "text", "label"], ["1", "a", cell]])
    [vote] = read_doccano_csv(path, QUESTIONS[kind])
    assert vote.values == values


def test_of_labels_that_a_cell_may_hold_the_longest_is_taken(tmp_path: Path) -> None:
    question = replace(QUESTIONS["multi_label"], labels=["a", "b", "a#b"])
    (tmp_path / "all.csv").write_text("text,label\nx,a#b#b\ny,b#a\n")
    votes = [*read_doccano_csv(tmp_path / "all.csv", question)]
    assert [vote.values for vote in votes] == [("a#b", "b"), ("b", "a")]


def test_a_csv_without_a_label_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("id,text\n1,a\n")
    with pytest.raises(DataError, match="no column 'label'"):
        [*read_doccano_csv(tmp_path / "all.csv", QUESTIONS["classification"])]


def test_a_line_is_written_for_each_answer_with_its_labels_in_a_list(tmp_path: Path) -> None:
    votes = tuple(
        PublishedVote(id=ROW.id, annotator=name, labels=labels)
        for name, labels in (("p1", ("C#", "null")), ("p2", ()))
    )
    rows = [AnsweredRow(row=ROW, votes=votes)]
    write_doccano(tmp_path / "a.jsonl", rows, QUESTIONS["multi_label"])
    first, second = map(json.loads, (tmp_path / "a.jsonl").read_text("utf-8").splitlines())
    assert first == {
        "row_id": ROW.id, "text": ROW.text, "label": ["C#", "null"], "annotator": "p1",
    }  # fmt: skip
    assert (second["label"], second["empty"]) == ([], "none")
    write_doccano_csv(tmp_path / "a.csv", rows, QUESTIONS["multi_label"])
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["label"] for row in csv.DictReader(stream)] == ["C##null", ""]
