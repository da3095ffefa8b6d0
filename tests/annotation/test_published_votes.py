"""Published votes come back as they were, in equal bytes, and `label` reads the labels and never the skips."""

import random
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.annotation.published_votes import (
    PublishedVote,
    last_words,
    published_names,
    read_votes,
    write_votes,
)
from pipeline.core.errors import ArtifactError, DataError
from pipeline.data.annotations import read_annotations
from tests.support.voted_rows import QUESTIONS, drawn_votes, make_project

KINDS = pytest.mark.parametrize("kind", [*QUESTIONS])
VOTE = PublishedVote(id="a" * 16, annotator="p1", labels=("good",))


@KINDS
def test_votes_and_skips_come_back_as_they_were_written(tmp_path: Path, kind: str) -> None:
    project = make_project(tmp_path, QUESTIONS[kind])
    for number in range(5):
        votes = drawn_votes(project, random.Random(number))  # noqa: S311
        write_votes(tmp_path / f"{number}", votes)
        assert read_votes(tmp_path / f"{number}") == votes


@KINDS
def test_label_reads_the_labels_given_and_none_of_the_skips(tmp_path: Path, kind: str) -> None:
    project = make_project(tmp_path, question := QUESTIONS[kind])
    votes = [vote for n in range(20) for vote in drawn_votes(project, random.Random(n))]  # noqa: S311
    last = last_words(votes)
    assert any(vote.skipped for vote in last)
    write_votes(tmp_path / "annotations", votes)
    known = {row.id for row in project.rows}
    read = read_annotations(
        tmp_path / "annotations", problem=question.problem, labels=question.labels, known=known
    )
    given = {
        (row, person): label for row, people in read.items() for person, label in people.items()
    }
    assert given == {
        (vote.id, vote.annotator): "|".join(vote.labels)
        if vote.number is None
        else repr(vote.number)
        for vote in last
        if not vote.skipped
    }


def test_equal_votes_give_equal_bytes_whatever_their_order(tmp_path: Path) -> None:
    project = make_project(tmp_path, QUESTIONS["classification"])
    votes = [vote for n in range(9) for vote in drawn_votes(project, random.Random(n))]  # noqa: S311
    votes = last_words(votes)
    for name, order in (("a", votes), ("b", votes[::-1])):
        write_votes(tmp_path / name, order)
    for file in ("votes.parquet", "skipped/votes.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z"),
        ("2026-01-01T10:00:00+09:00", "2026-01-01T02:00:00Z"),
        (None, "1999-12-31T23:59:59.000Z"),
    ],
    ids=["a millisecond later", "an hour later in another zone", "any time and none"],
)
def test_the_last_word_of_a_person_on_a_row_is_kept(first: str | None, second: str) -> None:
    votes = [replace(VOTE, labels=("bad",), time=second), replace(VOTE, time=first)]
    for order in (votes, votes[::-1]):
        [kept] = last_words(order)
        assert kept.labels == ("bad",)
        assert (kept.time or "").endswith("Z")


@pytest.mark.parametrize("time", [None, "2026-01-01T00:00:00.000Z"], ids=["no time", "one time"])
def test_of_answers_of_one_time_the_later_one_counts(time: str | None) -> None:
    votes = [replace(VOTE, labels=(label,), time=time) for label in ("good", "bad")]
    assert [vote.labels for vote in last_words(votes)] == [("bad",)]
    assert [vote.labels for vote in last_words(votes[::-1])] == [("good",)]


def test_a_skip_after_a_vote_takes_its_place_and_a_vote_after_a_skip_too(tmp_path: Path) -> None:
    vote = replace(VOTE, time="2026-01-01T00:00:00.000Z")
    skip = replace(VOTE, labels=(), skipped=True, time="2026-01-02T00:00:00.000Z")
    write_votes(tmp_path, [skip, vote])
    assert pq.read_metadata(tmp_path / "votes.parquet").num_rows == 0
    write_votes(tmp_path, [skip, replace(vote, time="2026-01-03T00:00:00.000Z")])
    assert [found.skipped for found in read_votes(tmp_path)] == [False]
    assert not (tmp_path / "skipped" / "votes.parquet").exists()


def test_the_files_of_others_are_no_published_votes(tmp_path: Path) -> None:
    write_votes(tmp_path, [VOTE], name="mine")
    write_votes(tmp_path, [replace(VOTE, labels=(), skipped=True)], name="skips")
    (tmp_path / "votes.parquet").write_bytes(b"PAR1")
    assert published_names(tmp_path) == ["mine", "skips"]
    with pytest.raises(ArtifactError, match=r"votes\.parquet has other columns"):
        read_votes(tmp_path)


def test_a_vote_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="has a label"):
        replace(VOTE, skipped=True)
    with pytest.raises(ValueError, match="labels and a number"):
        replace(VOTE, number=1.0)
    with pytest.raises(DataError, match="yesterday"):
        last_words([replace(VOTE, time="yesterday")])
