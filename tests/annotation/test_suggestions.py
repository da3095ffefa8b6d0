"""Suggestions are shown by chance alone, noted in both arms, and never told in the hidden one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.annotation.events import Event
from pipeline.annotation.people import Person
from pipeline.annotation.score_file import Scores
from pipeline.annotation.suggestion_effect import suggestion_effect
from pipeline.annotation.suggestions import MOST_SHARE, Suggestions

ANN, BOB = Person(name="ann", published="p1"), Person(name="bob", published="p2")
ROWS = [f"{number:016x}" for number in range(1000)]


def _scores(**more: Any) -> Scores:
    ids = np.arange(1000, dtype=np.uint64)
    p = np.tile(np.array([0.25, 0.75], dtype=np.float32), (1000, 1))
    return Scores(**{"ids": ids, "probabilities": p, "labels": ("a", "b"), "model": "head"} | more)


def _suggestions(share: float = 0.5, **scores: Any) -> Suggestions:
    found = Suggestions(share=share)
    found.use(_scores(**scores))
    return found


def _vote(row: str, **more: Any) -> Event:
    return Event(**{"uid": "u", "event": "vote", "row": row, "labels": ("a",)} | more)


def test_half_of_the_rows_are_shown_others_to_another_person_and_the_same_ones_again() -> None:
    suggestions = _suggestions()
    arms = [[suggestions.arm(person, row) for row in ROWS] for person in (ANN, BOB)]
    assert 440 < arms[0].count("shown") < 560
    assert 400 < sum(one == other for one, other in zip(*arms, strict=True)) < 600
    assert [_suggestions().arm(ANN, row) for row in ROWS] == arms[0]


def test_the_hidden_arm_is_told_nothing_and_both_are_noted_on_the_vote() -> None:
    suggestions = _suggestions()
    for row in ROWS[:50]:
        given = suggestions.give(ANN, row)
        assert given is not None
        assert (given[1] is None) == (given[0] == "hidden")
        noted = suggestions.noted(_vote(row), ANN)
        assert noted.arm == given[0]
        assert noted.suggestion is not None
        assert (noted.suggestion.label, noted.suggestion.p) == ("b", 0.75)


def test_a_vote_carries_what_was_in_sight_though_the_model_has_changed_since() -> None:
    suggestions = _suggestions()
    suggestions.give(ANN, ROWS[0])
    suggestions.use(_scores(model="newer"))
    noted = suggestions.noted(_vote(ROWS[0]), ANN)
    assert noted.suggestion is not None
    assert noted.suggestion.model == "head"


@pytest.mark.parametrize(
    "suggestions",
    [_suggestions(share=0), Suggestions(share=0.5), _suggestions(exclusive=False), _suggestions(model=None)],
    ids=["switched off", "before there are scores", "several labels a text", "before a model has learned"],
)  # fmt: skip
def test_where_there_is_nothing_to_show_a_vote_has_no_arm(suggestions: Suggestions) -> None:
    assert suggestions.give(ANN, ROWS[0]) is None
    assert suggestions.noted(_vote(ROWS[0]), ANN).arm is None


def test_some_rows_are_hidden_whatever_share_is_asked_for() -> None:
    assert Suggestions(share=1.0).share == MOST_SHARE


def test_once_turned_off_no_further_row_has_one() -> None:
    suggestions = _suggestions()
    before = suggestions.give(ANN, ROWS[0])
    suggestions.turn_off(suggestion_effect([]))
    assert suggestions.give(ANN, ROWS[0]) == before
    assert suggestions.give(ANN, ROWS[1]) is None
    assert not suggestions.are_on


def test_a_hidden_row_of_before_a_restart_gets_the_models_answer_of_today() -> None:
    noted = _suggestions().noted(_vote(ROWS[0], arm="hidden"), ANN)
    assert (noted.arm, noted.suggestion is None) == ("hidden", False)


def test_the_scores_that_are_written_are_those_that_are_read(tmp_path: Path) -> None:
    from pipeline.annotation.score_file import read_scores, write_scores

    lanes = {
        "uncertain": np.array([5, 2, 900], dtype=np.uint64),
        "suspect": np.array([5000, 2], dtype=np.uint64),
    }
    scores = _scores(lanes=lanes, weights={"uncertain": 0.6, "suspect": 0.1})
    write_scores(tmp_path / "scores.arrow", scores)
    read = read_scores(tmp_path / "scores.arrow")
    assert read.ids.tolist() == scores.ids.tolist()
    assert np.array_equal(read.probabilities, scores.probabilities)
    assert {why: ids.tolist() for why, ids in read.lanes.items()} == {
        "uncertain": [5, 2, 900],
        "suspect": [5000],
    }
    assert (read.model, read.labels, read.weights) == ("head", ("a", "b"), scores.weights)
