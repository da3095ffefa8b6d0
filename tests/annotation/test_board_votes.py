"""Answers of all people by row: which rows are disputed, labelled by two, flagged, and those that a filter takes."""

from typing import Any

import pytest

from pipeline.annotation.board_votes import BoardVotes, RowFilter
from pipeline.annotation.row_file import RowFile
from tests.support.answered import board_votes, row_file
from tests.support.labelling import row_id, vote

A, B, C, D, E = (row_id(number) for number in range(5))
EVENTS: dict[str, list[dict[str, Any]]] = {
    "p1": [
        vote("a", A, "complaint", guide="old", why="random"),
        vote("b", B, "complaint", guide="old", why="uncertain"),
        {"uid": "c", "event": "skip", "row": C},
        {"uid": "d", "event": "flag", "row": D},
        vote("e", E, "question", guide="new", why="random"),
        {"uid": "f", "event": "adjudicate", "row": E, "labels": ["question"], "why": "slip"},
    ],
    "p2": [
        vote("a", A, "complaint", guide="old", why="random"),
        vote("b", B, "question", guide="new", why="random"),
        vote("c", C, "complaint", why="random"),
        {"uid": "d", "event": "comment", "row": A, "comment": "unsure"},
        vote("e", E, "complaint", guide="new", why="random"),
    ],
    "p3": [
        vote("a", A, "question", guide="new", why="random"),
        {"uid": "b", "event": "undo", "row": A, "undoes": "a"},
        vote("c", row_id(999), "question"),
        vote("d", D, "an old label"),
        {"uid": "e", "event": "skip", "row": row_id(998)},
    ],
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    return row_file(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def votes(rows: RowFile) -> BoardVotes:
    return board_votes(rows, EVENTS)


def test_rows_are_counted_by_what_people_did(votes: BoardVotes) -> None:
    assert votes.counts() == {
        "labelled": 4,
        "double": 3,
        "disputed": 1,
        "adjudicated": 1,
        "skipped": 1,
        "flagged": 1,
        "commented": 1,
    }


def test_votes_on_no_row_of_the_data_and_unknown_labels_are_left_out(votes: BoardVotes) -> None:
    assert votes.left_out == 2
    assert votes.stored[A] == {"p1": "complaint", "p2": "complaint"}
    assert {*votes.votes} == {A, B, C, E}


FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "every answered row": ({}, [A, B, C, D, E]),
    "labelled": ({"kind": "labelled"}, [A, B, C, E]),
    "by two": ({"kind": "double"}, [A, B, E]),
    "disputed": ({"kind": "disputed"}, [B]),
    "adjudicated": ({"kind": "adjudicated"}, [E]),
    "skipped": ({"kind": "skipped"}, [C]),
    "flagged": ({"kind": "flagged"}, [D]),
    "commented": ({"kind": "commented"}, [A]),
    "one label": ({"label": "question"}, [B, E]),
    "two labels": ({"label": "complaint", "other_label": "question"}, [B, E]),
    "a label twice": ({"label": "complaint", "other_label": "complaint"}, [A]),
    "a person": ({"person": "p1"}, [A, B, E]),
    "two people": ({"person": "p1", "other": "p2"}, [A, B, E]),
    "a person's label beside another's": (
        {"person": "p1", "label": "question", "other": "p2", "other_label": "complaint"},
        [E],
    ),
    "where a person differs": ({"person": "p2", "apart": True}, [B, E]),
    "a guide": ({"guide": "new"}, [B, E]),
    "no guide": ({"guide": ""}, [C]),
    "a reason": ({"why": "uncertain"}, [B]),
    "a person under a guide": ({"person": "p1", "guide": "old", "kind": "disputed"}, [B]),
    "nobody": ({"person": "p9"}, []),
}


@pytest.mark.parametrize(("asked", "expected"), FILTERS.values(), ids=FILTERS)
def test_a_filter_takes_the_rows_whose_answers_fit(
    votes: BoardVotes, asked: dict[str, Any], expected: list[str]
) -> None:
    assert votes.found(RowFilter(**asked)) == expected


def test_later_events_change_nothing_in_what_was_taken(rows: RowFile) -> None:
    events = {"p1": [vote("a", A, "complaint")]}
    before = board_votes(rows, events)
    events["p1"].append(vote("b", A, "question"))
    assert before.stored[A] == {"p1": "complaint"}
    assert board_votes(rows, events).stored[A] == {"p1": "question"}


def test_without_answers_there_is_nothing(rows: RowFile) -> None:
    votes = board_votes(rows, {"p1": []})
    assert not any(votes.counts().values())
    assert votes.found(RowFilter()) == []
