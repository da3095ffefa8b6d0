"""Answers of other tools become votes on rows; what does not is counted and said."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.label_formats import FORMATS, format_for
from pipeline.annotation.label_import import Taken, described, import_labels, take_labels
from pipeline.annotation.published_votes import read_votes
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS, VotedProject, make_project

TEXTS = ["It never came.", "Where is it?", "주문이 안 왔어요."]


@pytest.fixture
def project(tmp_path: Path) -> VotedProject:
    return make_project(tmp_path, QUESTIONS["classification"], texts=TEXTS)


def lines(project: VotedProject, *rows: dict[str, Any]) -> Path:
    path = project.root / "all.jsonl"
    text = "".join(json.dumps({"label": ["C#"]} | row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def take(project: VotedProject, *rows: dict[str, Any], annotator: str = "") -> Taken:
    return take_labels(
        lines(project, *rows),
        format=FORMATS["doccano"],
        question=project.question,
        rows=project.row_file,
        annotator=annotator,
    )


def id_of(project: VotedProject, text: str) -> str:
    return next(row.id for row in project.rows if row.text == text)


@pytest.mark.parametrize(
    "text",
    ["It never came.", " It  never&#32;came. ", "It never\u200b came.", "<p>It never came.</p>"],
    ids=["as it is", "blanks and an entity", "invisible", "tags"],
)
def test_an_answer_without_an_id_is_matched_by_its_text_once_cleaned(
    project: VotedProject, text: str
) -> None:
    [vote] = take(project, {"text": text}).votes
    assert vote.id == id_of(project, "It never came.")
    assert vote.text_sha == next(row.text_sha for row in project.rows if row.id == vote.id)


def test_an_id_counts_before_the_text_and_another_text_is_told_of(project: VotedProject) -> None:
    row = id_of(project, TEXTS[2])
    taken = take(project, {"row_id": row, "text": TEXTS[0]})
    assert [vote.id for vote in taken.votes] == [row]
    assert taken.altered == 1
    assert "answers on a text that differs from the row's: 1" in described(taken, "a.parquet")


def test_answers_that_match_no_row_are_counted_and_said(project: VotedProject) -> None:
    taken = take(
        project, {"text": TEXTS[0]}, {"text": "of nobody"}, {"text": TEXTS[1], "label": []}
    )
    assert (len(taken.votes), taken.unanswered) == (1, 1)
    assert described(taken, "annotations/x.parquet") == [
        "labels: 1, skips: 0, people: 1, rows: 1, in annotations/x.parquet",
        "answers of no row of the data: 1 (all.jsonl, line 2)",
        "tasks without an answer: 1",
    ]


def test_an_empty_text_matches_no_row(project: VotedProject) -> None:
    assert take(project, {"text": ""}).unmatched == ["all.jsonl, line 1"]


def test_who_gave_an_answer_is_the_files_word_or_else_the_one_named(project: VotedProject) -> None:
    rows = [{"text": TEXTS[0]}, {"text": TEXTS[1], "annotator": " 민아 "}]
    people = [{vote.annotator for vote in take(project, *rows, annotator=name).votes}
              for name in ("", "kim")]  # fmt: skip
    assert people == [{"doccano", "민아"}, {"kim", "민아"}]


@pytest.mark.parametrize(
    ("labels", "got", "expected"),
    [
        (["praise"], "line 1: the label value 'praise'", "one of: "),
        (
            ["C#", "null"],
            r"line 1: 2 labels in one answer \(C#, null\)",
            "one, for product.problem",
        ),
    ],
    ids=["another label", "two labels"],
)
def test_a_label_that_is_not_the_products_is_refused(
    project: VotedProject, labels: list[str], got: str, expected: str
) -> None:
    with pytest.raises(DataError, match=got) as caught:
        take(project, {"text": TEXTS[0], "label": labels})
    assert caught.value.expected.startswith(expected)
    assert caught.value.next_step


def test_a_time_that_is_none_is_refused_with_its_line(project: VotedProject) -> None:
    with pytest.raises(DataError, match=r"all\.jsonl, line 1: the time 'today'"):
        take(project, {"text": TEXTS[0], "time": "today"})


def test_the_same_file_imported_again_overwrites_what_it_wrote(project: VotedProject) -> None:
    given = {"format": FORMATS["doccano"], "question": project.question, "rows": project.row_file}
    folder = project.root / "annotations"
    for label in ("C#", "null"):
        path = lines(project, {"text": TEXTS[0], "label": [label]})
        _, file = import_labels(path, folder=folder, **given)
    assert file == folder / "doccano-all.parquet"
    assert [vote.labels for vote in read_votes(folder, name="doccano-all")] == [("null",)]


def test_where_no_answer_is_of_a_row_nothing_is_written(project: VotedProject) -> None:
    given = {"format": FORMATS["doccano"], "question": project.question, "rows": project.row_file}
    folder = project.root / "annotations"
    with pytest.raises(DataError, match="1 answers, and none is of a row of the data"):
        import_labels(lines(project, {"text": "of nobody"}), folder=folder, **given)
    assert not folder.exists()
    with pytest.raises(DataError, match=r"gone\.jsonl is not there"):
        import_labels(project.root / "gone.jsonl", folder=folder, **given)


def test_a_file_of_another_ending_is_refused() -> None:
    for made in FORMATS.values():
        assert format_for(Path(f"a{made.endings[0].upper()}"), made.name) is made
        with pytest.raises(DataError, match=r"a\.xlsx as a file of the format"):
            format_for(Path("a.xlsx"), made.name)
