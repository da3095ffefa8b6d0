"""The figures of the board: those of the stage `label` on the same votes, by label, by guide version, and by person."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.board_figures import MOST_LABELS, Board, Situation, board_of
from pipeline.annotation.board_votes import RowFilter
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.row_file import RowFile
from pipeline.data.agreement import agreement
from pipeline.metrics.agreement_details import agreement_details
from pipeline.metrics.chance_agreement import chance_agreement_by_version
from pipeline.problem.problems import problem_named
from tests.support.answered import ASKED, board_votes, row_file
from tests.support.labelling import LABELS, row_id, vote
from tests.support.planted_votes import planted_votes

ROWS = 300
CLASSIFICATION = problem_named("classification")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> RowFile:
    return row_file(tmp_path_factory.mktemp("rows"), ROWS)


def _situation(asked: Assignment = ASKED, **more: Any) -> Situation:
    usual: dict[str, Any] = {"labelled": 300, "waiting": 100, "double_share": 0.2}
    return Situation(assignment=asked, **usual | more)


def _events(votes: Mapping[str, Mapping[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Events of people from row → person → label; the second half of the rows was labelled under another guide."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, given in enumerate(votes.values()):
        guide = "old" if number < len(votes) / 2 else "new"
        for person, label in given.items():
            event = vote(str(number), row_id(number), label, seconds=2.0, why="random", guide=guide)
            found.setdefault(person, []).append(event)
    return found


@pytest.fixture(scope="module")
def planted(rows: RowFile) -> tuple[Board, dict[str, dict[str, str]], Assignment]:
    """The board of seven people of whom two guess, the votes by id of the row, and the question."""
    made = planted_votes(rows=ROWS, people=7, spammers=2, votes_a_row=3)
    asked = Assignment(product="letters", problem="classification", labels=("a", "b", "c"))
    votes = {row_id(number): given for number, given in enumerate(made.votes.values())}
    board = board_of(board_votes(rows, _events(made.votes), asked), _situation(asked, seed=3))
    return board, votes, asked


def test_agreement_people_and_pairs_are_what_the_build_will_say(
    planted: tuple[Board, dict[str, dict[str, str]], Assignment],
) -> None:
    board, votes, asked = planted
    expected = agreement_details(votes, problem=CLASSIFICATION, labels=asked.labels, seed=3)
    found, told = board.figures, expected.findings.as_json()
    assert found["agreement"] == told["coefficients"]
    assert {name: found[name] for name in ("by_label", "people", "pairs", "confusions")} == {
        name: told[name] for name in ("by_label", "people", "pairs", "confusions")
    }


def test_agreement_by_guide_is_that_of_the_votes_under_each_version_the_latest_last(
    planted: tuple[Board, dict[str, dict[str, str]], Assignment],
) -> None:
    board, votes, asked = planted
    assert board.table is not None
    half = row_id(ROWS // 2)
    versions = ["old" if row < half else "new" for row in votes for _ in votes[row]]
    expected = chance_agreement_by_version(board.table, asked.labels, versions, seed=3)
    found = board.figures["by_guide"]
    assert [each["guide"] for each in found] == ["old", "new"]
    assert [each["votes"] for each in found] == [ROWS // 2 * 3] * 2
    for each in found:
        for name, measure in expected[each["guide"]].overall.items():
            assert measure is not None
            assert each["agreement"][name]["value"] == measure.value
            assert each["agreement"][name]["interval"] == measure.as_list()


def test_every_count_has_as_many_rows_as_it_says(
    planted: tuple[Board, dict[str, dict[str, str]], Assignment],
) -> None:
    board, _, _ = planted
    for kind, count in board.figures["rows"].items():
        assert len(board.votes.found(RowFilter(kind=kind))) == count
    for pair in board.figures["pairs"]:
        both = RowFilter(person=pair["first"], other=pair["second"])
        assert len(board.votes.found(both)) == pair["rows"]
    for each in board.figures["confusions"]:
        two = RowFilter(label=each["first"], other_label=each["second"])
        assert len(board.votes.found(two)) == each["rows"]


def test_the_matrix_of_two_people_counts_the_rows_that_both_labelled(
    planted: tuple[Board, dict[str, dict[str, str]], Assignment],
) -> None:
    board, _, _ = planted
    pair = board.figures["shared"][0]
    matrix = board.matrix((pair["first"], pair["second"]))
    assert matrix is not None
    assert np.sum(matrix) == pair["rows"]
    assert matrix[0][1] == len(
        board.votes.found(
            RowFilter(person=pair["first"], other=pair["second"], label="a", other_label="b")
        )
    )
    assert board.matrix(("p00", "nobody")) is None


def test_work_says_what_is_needed_what_is_left_and_how_fast_people_are(rows: RowFile) -> None:
    events = {"p1": [vote(str(n), row_id(n), LABELS[n % 2], seconds=3.0) for n in range(10)]}
    goal = LabelGoal(needed=900, low=700, high=None)
    found = board_of(board_votes(rows, events), _situation(goal=goal)).figures
    assert found["goal"] == {"needed": 900, "low": 700, "high": None, "labelled": 300}
    assert found["cost"] == {"rows": 600, "hours": 0.6, "low": pytest.approx(0.4), "high": None}
    assert found["pace"] == {"seconds": 3.0, "low": 3.0, "high": 3.0, "labels": 10}
    assert (found["over_time"][-1]["labels"], found["why"]) == (10, {"": 10})
    assert board_of(board_votes(rows, events), _situation()).figures["cost"] is None


KINDS: dict[str, tuple[Assignment, list[list[dict[str, Any]]]]] = {
    "nobody has labelled": (ASKED, [[], []]),
    "one person alone": (ASKED, [[vote("a", row_id(0), "complaint")]]),
    "all the same": (ASKED, [[vote("a", row_id(0), "complaint")]] * 2),
    "numbers": (
        Assignment(product="letters", problem="regression", labels=("stars",)),
        [[vote(str(n), row_id(n), number=n % 5 + i / 2) for n in range(9)] for i in range(2)],
    ),
    "several labels": (
        Assignment(product="letters", problem="multi_label", labels=("sad", "glad")),
        [[vote(str(n), row_id(n), *("sad", "glad")[: (n + i) % 3]) for n in range(9)] for i in range(2)],
    ),
    "many labels": (
        Assignment(
            product="letters",
            problem="classification",
            labels=tuple(f"label {n}" for n in range(MOST_LABELS + 1)),
        ),
        [[vote(str(n), row_id(n), f"label {n + i}") for n in range(9)] for i in range(2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "people"), KINDS.values(), ids=KINDS)
def test_every_kind_of_answers_has_a_board(
    rows: RowFile, asked: Assignment, people: list[list[dict[str, Any]]]
) -> None:
    events = {f"p{number + 1}": given for number, given in enumerate(people)}
    board = board_of(board_votes(rows, events, asked), _situation(asked))
    found = board.figures
    assert found["votes"] == sum(map(len, people))
    assert {*found["agreement"]} == {"alpha", "ac1", "fleiss_kappa"}
    has_matrix = 1 < len(asked.labels) <= MOST_LABELS and found["votes"] > 0
    assert (board.matrix(None) is not None) == has_matrix
    assert [person["votes"] for person in found["people"]] == [
        len(given) for given in people if given
    ]


def test_of_numbers_alpha_is_that_of_the_build(rows: RowFile) -> None:
    asked, people = KINDS["numbers"]
    events = {f"p{number + 1}": given for number, given in enumerate(people)}
    found = board_of(board_votes(rows, events, asked), _situation(asked)).figures
    pairs = [
        [str(float(one["number"])), str(float(other["number"]))]
        for one, other in zip(*people, strict=True)
    ]
    expected = agreement(pairs, problem=problem_named("regression"), labels=["stars"], seed=0)
    assert expected.interval is not None
    assert found["agreement"]["alpha"] == {
        "value": expected.alpha,
        "interval": [*expected.interval],
    }
    assert found["rows"]["disputed"] == 9


def test_people_are_told_by_their_published_names_alone(rows: RowFile) -> None:
    events = {"p1": [vote("a", row_id(0), "complaint")]}
    assert "name of p1" not in str(board_of(board_votes(rows, events), _situation()).figures)
