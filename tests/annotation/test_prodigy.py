"""Prodigy's own exports are read, and what is written is what it imports."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.foreign_votes import AnsweredRow, ForeignVote
from pipeline.annotation.prodigy import read_prodigy, write_prodigy
from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS

ROW = LabellingRow(id="0123456789abcdef", source="s", text="좋아요", second=None, label=None)


def task(**other: Any) -> dict[str, Any]:
    """A task, as `prodigy db-out` writes it after `textcat.manual`."""
    usual = {
        "text": "좋아요",
        "meta": {"source": "mail"},
        "_input_hash": -1842734674,
        "_task_hash": 636683182,
        "options": [{"id": "C#", "text": "C#"}, {"id": "null", "text": "null"}],
        "_view_id": "choice",
        "accept": ["C#"],
        "config": {"choice_style": "single"},
        "answer": "accept",
        "_timestamp": 1_767_225_600,
        "_annotator_id": "mails-mina",
        "_session_id": "mails-mina",
    }
    return {key: value for key, value in (usual | other).items() if value is not ...}


def read(folder: Path, *tasks: dict[str, Any], kind: str = "classification") -> list[ForeignVote]:
    path = folder / "out.jsonl"
    path.write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    return [*read_prodigy(path, QUESTIONS[kind])]


def test_the_options_accepted_are_the_vote_of_the_annotator(tmp_path: Path) -> None:
    [vote] = read(tmp_path, task())
    assert (vote.annotator, vote.values) == ("mails-mina", ("C#",))
    assert vote.notes == {"time": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_rejected_and_ignored_tasks_are_skips(tmp_path: Path, answer: str) -> None:
    [vote] = read(tmp_path, task(answer=answer))
    assert (vote.values, vote.skipped) == (None, True)


@pytest.mark.parametrize(
    "other", [{"answer": ...}, {"accept": []}], ids=["no answer", "accepted without an option"]
)
def test_a_task_without_an_answer_is_none(tmp_path: Path, other: dict[str, Any]) -> None:
    [vote] = read(tmp_path, task(**other))
    assert (vote.values, vote.skipped) == (None, False)


def test_a_task_accepted_without_an_option_has_none_of_several_labels(tmp_path: Path) -> None:
    [vote] = read(tmp_path, task(accept=[]), kind="multi_label")
    assert vote.values == ()


def test_tasks_of_one_label_each_are_one_vote_where_a_row_may_have_several(tmp_path: Path) -> None:
    teach = {"accept": ..., "options": ..., "_view_id": "classification"}
    answers = [("C#", "accept"), ("null", "reject"), ("[x]", "accept"), ("=1", "ignore")]
    tasks = [task(label=label, answer=answer, **teach) for label, answer in answers]
    [vote] = read(tmp_path, *tasks, kind="multi_label")
    assert (vote.values, vote.skipped) == (("C#", "[x]"), False)
    [vote] = read(tmp_path, tasks[3], kind="multi_label")
    assert (vote.values, vote.skipped) == (None, True)
    assert [vote.values for vote in read(tmp_path, *tasks)] == [("C#",), None, ("[x]",), None]


def test_what_was_said_of_an_older_answer_is_not_of_a_new_one(tmp_path: Path) -> None:
    ours = {"comment": "sure", "seconds": 1.5, "time": "2026-01-01T00:00:00.250Z"}
    [same] = read(tmp_path, task(**ours))
    assert same.notes == ours
    [later] = read(tmp_path, task(**ours, _timestamp=1_767_225_700))
    assert later.notes == {"time": "2026-01-01T00:01:40.000Z"}


@pytest.mark.parametrize("line", [{"answer": "accept"}, {"text": "a", "answer": "yes"}])
def test_what_is_no_task_is_refused(tmp_path: Path, line: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"out\.jsonl, line 1: an object with"):
        read(tmp_path, line)


def test_a_task_is_written_for_each_answer_with_the_options_of_the_product(tmp_path: Path) -> None:
    vote = PublishedVote(id=ROW.id, annotator="p1", labels=("C#",), time="2026-01-01T00:00:00.250Z")
    question = QUESTIONS["classification"]
    write_prodigy(tmp_path / "in.jsonl", [AnsweredRow(row=ROW, votes=(vote,))], question)
    [written] = map(json.loads, (tmp_path / "in.jsonl").read_text("utf-8").splitlines())
    assert written == {
        "text": ROW.text,
        "meta": {"row_id": ROW.id},
        "options": [{"id": label, "text": label} for label in question.labels],
        "config": {"choice_style": "single"},
        "_view_id": "choice",
        "accept": ["C#"],
        "answer": "accept",
        "_annotator_id": "p1",
        "_session_id": "p1",
        "_timestamp": 1_767_225_600,
        "time": "2026-01-01T00:00:00.250Z",
    }
