"""Which rows people dispute, and which dispute is dear."""

import pytest

from pipeline.data.disputed_votes import (
    TOLERANCE,
    closeness_of,
    disagreement,
    disputed_rows,
    price,
    tolerance,
)
from pipeline.problem.problem import Problem
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()
LABELS = {
    "classification": ["a", "b", "c"],
    "multi_label": ["a", "b", "c"],
    "regression": ["stars"],
}


def apart(problem: Problem, *votes: str) -> float:
    return disagreement(votes, problem=problem, labels=LABELS[problem.name])


@pytest.mark.parametrize(
    ("problem", "votes", "bits"),
    [
        (CLASSIFICATION, ["a", "a"], 0.0),
        (CLASSIFICATION, ["a", "b"], 1.0),
        (CLASSIFICATION, ["a", "a", "a", "b"], 0.8112781),
        (CLASSIFICATION, ["a", "b", "c"], 1.5849625),
        (MULTI_LABEL, ["a|b", "a|b"], 0.0),
        (MULTI_LABEL, ["a|b", "a"], 1.0),
        (MULTI_LABEL, ["a|b", "c"], 3.0),
        (MULTI_LABEL, ["", ""], 0.0),
        (MULTI_LABEL, ["", "a"], 1.0),
        (REGRESSION, ["4.0", "4.0"], 0.0),
        (REGRESSION, ["1.0", "4.5", "2.0"], 3.5),
    ],
    ids=lambda value: getattr(value, "name", None) or repr(value),
)
def test_disagreement_is_entropy_of_labels_and_distance_of_numbers(
    problem: Problem, votes: list[str], bits: float
) -> None:
    assert apart(problem, *votes) == pytest.approx(bits)
    assert apart(problem, *reversed(votes)) == apart(problem, *votes)


@pytest.mark.parametrize("problem", [CLASSIFICATION, MULTI_LABEL], ids=lambda p: p.name)
def test_labels_are_disputed_where_two_people_differ(problem: Problem) -> None:
    votes = {
        "one": {"p1": "a"},
        "same": {"p1": "a", "p2": "a"},
        "apart": {"p1": "a", "p2": "b"},
        "two against one": {"p1": "a", "p2": "a", "p3": "c"},
    }
    found = disputed_rows(votes, problem=problem, labels=LABELS[problem.name])
    assert found == {"apart", "two against one"}


@pytest.mark.parametrize("scale", [1.0, 100.0, 0.001])
def test_numbers_are_disputed_where_they_lie_apart_on_their_own_scale(scale: float) -> None:
    def votes(*numbers: float) -> dict[str, str]:
        return {f"p{place}": repr(number * scale) for place, number in enumerate(numbers)}

    rows = {"near": votes(4, 4.2), "far": votes(1, 3), "one": votes(5), "same": votes(2, 2)}
    assert disputed_rows(rows, problem=REGRESSION, labels=["stars"]) == {"far"}


def test_the_tolerance_of_numbers_is_a_part_of_their_deviation_and_of_labels_nothing() -> None:
    assert tolerance({"1.0": 1, "5.0": 1}, problem=REGRESSION) == pytest.approx(TOLERANCE * 2)
    many = {"1.0": 3, "5.0": 1, "9.0": 0}
    assert tolerance(many, problem=REGRESSION) == pytest.approx(TOLERANCE * 3**0.5)
    assert tolerance({}, problem=REGRESSION) == 0
    assert tolerance({"a": 1, "b": 1}, problem=CLASSIFICATION) == 0


def test_a_dispute_is_dearer_the_less_certain_the_model_and_the_more_notes_there_are() -> None:
    plain = price(1.0, closeness=None, notes=0)
    assert plain == price(1.0, closeness=1.0, notes=0) == 1
    assert price(1.0, closeness=closeness_of(0.9), notes=0) == pytest.approx(0.2)
    assert price(1.0, closeness=closeness_of(0.51), notes=0) == pytest.approx(0.98)
    assert price(1.0, closeness=None, notes=2) == 3
    assert price(1.5, closeness=None, notes=0) > plain


@pytest.mark.parametrize(
    ("probability", "closeness"), [(1.0, 0.0), (0.75, 0.5), (0.5, 1.0), (0.2, 1.0), (1.5, 0.0)]
)
def test_closeness_is_one_minus_the_margin(probability: float, closeness: float) -> None:
    assert closeness_of(probability) == closeness
