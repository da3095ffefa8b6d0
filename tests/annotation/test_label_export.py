"""Votes that are written for another tool and read back are the same, or lost.json says what was lost."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.annotation.label_export import all_votes, answered_rows, export_labels, losses
from pipeline.annotation.label_formats import FORMATS
from pipeline.annotation.label_import import import_labels, take_labels
from pipeline.annotation.published_votes import PublishedVote, read_votes, write_votes
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS, VotedProject, drawn_votes, make_project

QUICK, ALL = 12, 125
"""Cases of a format and a kind of product; there are four kinds, so `make soak` has 500 cases a format."""
NOT_HELD = {"label-studio": {"arm", "guide", "why"}}
"""What the formats cannot hold; all others hold everything."""
EVERY = [pytest.param(name, kind, id=f"{name}-{kind}") for name in FORMATS for kind in QUESTIONS]


def exported(project: VotedProject, votes: list[PublishedVote], name: str) -> Path:
    """The file of the votes, with lost.json beside it."""
    folder, made = project.root / "annotations", FORMATS[name]
    write_votes(folder, votes)
    path = project.root / f"all{made.endings[0]}"
    export_labels(
        path, format=made, question=project.question, rows=project.row_file, folder=folder
    )
    return path


def check_round_trips(root: Path, name: str, kind: str, cases: range) -> None:
    project, made = make_project(root, QUESTIONS[kind]), FORMATS[name]
    rows, known = {row.id: row for row in project.rows}, {row.id for row in project.rows}
    path = root / f"all{made.endings[0]}"
    for number in cases:
        votes = drawn_votes(project, random.Random(number))  # noqa: S311
        made.write(path, answered_rows(votes, rows), project.question)
        back = take_labels(path, format=made, question=project.question, rows=project.row_file)
        assert back.unmatched == []
        assert (back.unanswered, back.altered) == (0, 0)
        lost = {loss.what: loss for loss in losses(votes, back.votes, known=known)}
        assert {*lost} <= NOT_HELD.get(name, set())
        for what, loss in lost.items():
            without = {vote.id for vote in votes if getattr(vote, what) is not None}
            assert loss.rows == len(without)
            assert {*loss.examples} <= without
        assert back.votes == [replace(vote, **dict.fromkeys(lost)) for vote in votes]


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_votes_come_back_equal_or_it_is_said_what_was_lost(
    tmp_path: Path, name: str, kind: str
) -> None:
    check_round_trips(tmp_path, name, kind, range(QUICK))


@pytest.mark.soak
@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_hundreds_of_votes_come_back_equal_or_it_is_said_what_was_lost(
    tmp_path: Path, name: str, kind: str
) -> None:
    check_round_trips(tmp_path, name, kind, range(ALL))


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_answers_on_rows_of_unknown_ids_are_matched_by_their_texts(
    tmp_path: Path, name: str, kind: str
) -> None:
    project, made = make_project(tmp_path, QUESTIONS[kind]), FORMATS[name]
    votes = drawn_votes(project, random.Random(1))  # noqa: S311
    rows = {row.id: replace(row, id=f"{number:016x}") for number, row in enumerate(project.rows)}
    path = tmp_path / f"all{made.endings[0]}"
    made.write(path, answered_rows(votes, rows), project.question)
    back = take_labels(path, format=made, question=project.question, rows=project.row_file)
    assert [(vote.id, vote.annotator, vote.labels, vote.number) for vote in back.votes] == [
        (vote.id, vote.annotator, vote.labels, vote.number) for vote in votes
    ]


def test_lost_json_beside_the_file_says_what_how_many_rows_and_which(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["classification"])
    vote = PublishedVote(id=project.rows[0].id, annotator="p1", labels=("C#",), why="random")
    path = exported(project, [vote, replace(vote, annotator="p2")], "label-studio")
    assert json.loads((path.parent / "lost.json").read_text()) == {
        "file": "all.json",
        "format": "label-studio",
        "votes": 2,
        "rows": 1,
        "lost": [{"what": "why", "rows": 1, "examples": [vote.id]}],
    }
    exported(project, [vote], "prodigy")
    assert json.loads((path.parent / "lost.json").read_text())["lost"] == []


def test_votes_from_sheets_are_exported_with_what_they_say(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["classification"])
    row, folder = project.rows[0].id, tmp_path / "annotations"
    folder.mkdir()
    lines = ["id,annotator,label,time", f"{row},mina,C#,2026-01-01T09:00:00+09:00"]
    (folder / "sheet.csv").write_text("\n".join(lines), encoding="utf-8")
    [vote] = all_votes(folder, project.question, known={row})
    assert vote == PublishedVote(
        id=row, annotator="mina", labels=("C#",), time="2026-01-01T00:00:00.000Z"
    )


def test_of_votes_in_several_files_those_are_exported_that_label_reads(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["classification"])
    row, folder = project.rows[0].id, tmp_path / "annotations"
    vote = PublishedVote(id=row, annotator="p1", labels=("C#",), time="2026-01-01T00:00:00.000Z")
    later = replace(vote, labels=("a#b",), time="2026-01-02T00:00:00.000Z", comment="sure")
    skip = replace(vote, annotator="p2", labels=(), skipped=True)
    write_votes(folder, [later], name="imported")
    # `label` counts a vote in one file whatever is skipped in another, later too.
    write_votes(folder, [skip, replace(skip, annotator="p1", time="2026-01-03T00:00:00.000Z")])
    write_votes(folder, [vote], name="older")
    assert all_votes(folder, project.question, known={row}) == [later, skip]


def test_votes_on_rows_that_are_not_in_the_data_are_told_of(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["classification"])
    votes = [
        PublishedVote(id=row, annotator="p1", labels=("C#",))
        for row in ("f" * 16, project.rows[0].id)
    ]
    path = exported(project, votes, "prodigy")
    [loss] = json.loads((path.parent / "lost.json").read_text())["lost"]
    assert loss == {
        "what": "votes on rows that are not in the data", "rows": 1, "examples": ["f" * 16],
    }  # fmt: skip


@pytest.mark.parametrize("name", [*FORMATS])
def test_rows_without_a_label_are_added_on_request_and_come_back_unanswered(
    tmp_path: Path, name: str
) -> None:
    project, made = make_project(tmp_path, QUESTIONS["multi_label"]), FORMATS[name]
    path, folder = tmp_path / f"open{made.endings[0]}", tmp_path / "annotations"
    given = {"format": made, "question": project.question, "rows": project.row_file}
    written = export_labels(path, folder=folder, unlabelled=7, **given)
    assert (written.rows, written.votes, written.lost) == (7, 0, [])
    assert take_labels(path, **given).unanswered == 7
    with pytest.raises(DataError, match="no task of 7 has an answer"):
        import_labels(path, folder=folder, **given)
    assert read_votes(folder) == []


def test_where_nobody_has_voted_the_error_says_what_to_do(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["multi_label"])
    with pytest.raises(DataError, match="nobody has voted yet") as caught:
        exported(project, [], "doccano")
    assert "--unlabelled" in caught.value.next_step
