"""Each kind of problem knows which answers are right, how near, and in what unit."""

import numpy as np
import pytest

from pipeline.problem.labelling import Labelling, RefusedError
from pipeline.problem.problems import PROBLEMS, UnknownProblemError, problem_named

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()
SEVERAL = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
NUMBERS = np.array([[0.0], [1.0], [2.0], [5.0]])


def test_an_unknown_problem_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(UnknownProblemError, match="'ranking'") as refused:
        problem_named("ranking")
    assert all(name in str(refused.value) for name in PROBLEMS)


def test_an_answer_of_several_labels_is_right_only_as_a_whole() -> None:
    gold = MULTI_LABEL.gold(SEVERAL)
    answers = gold.copy()
    answers[1, 0] = False
    assert MULTI_LABEL.right(gold, answers).tolist() == [1.0, 0.0, 1.0, 1.0]


def test_closeness_is_nought_for_the_median_and_one_for_gold() -> None:
    gold = REGRESSION.gold(NUMBERS)
    assert REGRESSION.row_scores(gold, gold).tolist() == [1.0] * 4
    guess = np.full(4, np.median(gold))
    assert REGRESSION.row_scores(gold, guess).mean() == pytest.approx(0.0)


def test_tolerances_of_numbers_follow_their_spread_and_what_float32_can_tell_apart() -> None:
    assert MULTI_LABEL.tolerance_unit(SEVERAL) == 1.0
    assert REGRESSION.tolerance_unit(np.array([[1.0], [5.0]])) == 2.0
    far = REGRESSION.tolerance_unit(np.array([[1e6], [1e6 + 1]]))
    assert far == pytest.approx(1e4, rel=1e-4)
    assert REGRESSION.tolerance_unit(np.zeros((3, 1))) == 1.0


def test_a_number_has_no_confidence_no_threshold_and_no_probability_to_balance() -> None:
    scores = np.ones((2, 1))
    for ask in (
        lambda: REGRESSION.even_thresholds(1),
        lambda: REGRESSION.balanced_weights(scores, labels=1),
        lambda: REGRESSION.gold_probabilities(scores[:, 0], scores),
    ):
        with pytest.raises(ValueError, match="no probability"):
            ask()


def test_answers_of_an_older_bundle_come_in_the_order_of_todays_labels() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    columns, answers = CLASSIFICATION.reordered(
        scores, scores.argmax(axis=1), own=["a", "b", "gone"], labels=["b", "a", "new"]
    )
    assert answers.tolist() == [1, -1]
    assert columns.tolist() == [[0.2, 0.7, 0.0], [0.2, 0.1, 0.0]]
    held, named = MULTI_LABEL.reordered(
        scores, scores > 0.15, own=["a", "b", "gone"], labels=["b", "a"]
    )
    assert held.shape == (2, 2)
    assert named.tolist() == [[True, True], [True, False]]
    assert REGRESSION.reordered(scores, answers, own=["x"], labels=["y"])[0] is scores


def test_a_cell_that_does_not_fit_says_what_would() -> None:
    with pytest.raises(RefusedError) as refused:
        REGRESSION.read_label("many", Labelling(["stars"]), where="line 2")
    assert refused.value.got == "line 2: the label value 'many'"
    assert "finite number" in refused.value.expected


@pytest.mark.parametrize(
    ("problem", "votes", "gold"),
    [
        ("classification", ["x", "y", "y"], "y"),
        ("classification", ["y", "x"], "z"),  # a tie keeps the source's label
        ("multi_label", ["x", "x|y", "y|z"], "x|y"),
        ("multi_label", ["", ""], ""),
        ("regression", ["1.0", "2.0"], "1.5"),
    ],
)
def test_votes_are_merged_as_the_problem_wants(problem: str, votes: list[str], gold: str) -> None:
    assert problem_named(problem).merged(votes, labels=["x", "y", "z"], otherwise="z") == gold
