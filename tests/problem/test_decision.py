"""Each problem turns scores into answers by the decision's thresholds."""

import numpy as np
import pytest

from pipeline.problem.decision import Decision
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()
SCORES = np.array([[0.6, 0.4], [0.5, 0.5], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("thresholds", "answers"),
    [(None, [0, 0, 1]), ((0.1, 0.9), [0, 0, 0]), ((0.7, 0.3), [1, 1, 1])],
    ids=["the likeliest, the first of equals", "strict", "mild"],
)
def test_the_second_of_two_labels_is_chosen_from_its_threshold_on(thresholds, answers) -> None:
    assert CLASSIFICATION.answers(SCORES, Decision(thresholds)).tolist() == answers


def test_every_label_that_reaches_its_threshold_holds() -> None:
    found = MULTI_LABEL.answers(SCORES, Decision())
    assert found.tolist() == [[True, False], [True, True], [False, True]]
    found = MULTI_LABEL.answers(SCORES, Decision(thresholds=(0.55, 0.9)))
    assert found.tolist() == [[True, False], [False, False], [False, False]]


def test_a_number_is_its_own_answer() -> None:
    assert REGRESSION.answers(np.array([[2.5], [-1.0]]), Decision()).tolist() == [2.5, -1.0]


def test_an_answer_is_not_given_below_the_confidence_asked_for() -> None:
    sure = Decision(abstain_below=0.55)
    assert CLASSIFICATION.abstains(SCORES, sure).tolist() == [False, True, False]
    assert not CLASSIFICATION.abstains(SCORES, Decision()).any()
    near = Decision(thresholds=(0.5, 0.7), abstain_below=0.05)
    assert MULTI_LABEL.abstains(SCORES, near).tolist() == [False, True, False]


def test_a_decision_survives_json_and_none_means_the_usual_rule() -> None:
    told = Decision(thresholds=(0.4, 0.6), abstain_below=0.7)
    assert Decision.of(told.as_dict()) == told
    assert Decision.of(None) == Decision()
