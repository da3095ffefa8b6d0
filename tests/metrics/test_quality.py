"""Figures of quality are the known ones, of answers that the decision makes."""

import numpy as np
import pytest

from pipeline.core.decision import Decision
from pipeline.core.product import QUALITY_METRICS
from pipeline.metrics.quality import (
    agreement,
    average_precision,
    gold_of,
    quality_figure,
    right_answers,
    row_scores,
    unit_of,
)

TARGETS = {
    "classification": np.array([[0.0], [1.0], [1.0], [0.0]]),
    "multi_label": np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]),
    "regression": np.array([[0.0], [1.0], [2.0], [5.0]]),
}
PERFECT = {
    "classification": np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]),
    "multi_label": np.array([[0.9, 0.1], [0.8, 0.7], [0.2, 0.3], [0.1, 0.9]]),
    "regression": np.array([[0.0], [1.0], [2.0], [5.0]]),
}


@pytest.mark.parametrize("problem", QUALITY_METRICS)
def test_perfect_answers_reach_one_in_every_figure(problem: str) -> None:
    for metric in QUALITY_METRICS[problem]:
        found = quality_figure(
            metric, problem=problem, targets=TARGETS[problem], scores=PERFECT[problem]
        )
        assert found == pytest.approx(1.0), metric


def test_f1_counts_labels_and_a_threshold_moves_it() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.7], [0.6, 0.3], [0.1, 0.9]])
    told = {"problem": "multi_label", "targets": TARGETS["multi_label"], "scores": scores}
    # 3 of 4 labels found, and 1 that does not hold.
    assert quality_figure("micro_f1", **told) == pytest.approx(0.75)
    assert quality_figure("macro_f1", **told) == pytest.approx((0.5 + 1.0) / 2)
    strict = Decision(thresholds=(0.7, 0.5))
    assert quality_figure("micro_f1", **told, decision=strict) == pytest.approx(6 / 7)


def test_average_precision_leaves_out_labels_that_no_row_has() -> None:
    gold = np.array([[True, False], [False, False]])
    assert average_precision(gold, np.array([[0.9, 0.5], [0.1, 0.6]])) == 1.0
    assert average_precision(gold & False, np.ones((2, 2))) == 0.0


def test_an_answer_of_several_labels_is_right_only_as_a_whole() -> None:
    gold = gold_of("multi_label", TARGETS["multi_label"])
    answers = gold.copy()
    answers[1, 0] = False
    assert right_answers("multi_label", gold, answers).tolist() == [1.0, 0.0, 1.0, 1.0]
    assert agreement("multi_label", gold, answers) == 7 / 8


def test_closeness_is_nought_for_the_median_and_one_for_gold() -> None:
    gold = gold_of("regression", TARGETS["regression"])
    assert row_scores("regression", gold, gold).tolist() == [1.0] * 4
    guess = np.full(4, np.median(gold))
    assert row_scores("regression", gold, guess).mean() == pytest.approx(0.0)


def test_tolerances_of_numbers_follow_their_spread_and_what_float32_can_tell_apart() -> None:
    assert unit_of("multi_label", TARGETS["multi_label"]) == 1.0
    assert unit_of("regression", np.array([[1.0], [5.0]])) == 2.0
    assert unit_of("regression", np.array([[1e6], [1e6 + 1]])) == pytest.approx(1e4, rel=1e-4)
    assert unit_of("regression", np.zeros((3, 1))) == 1.0


def test_a_correlation_with_what_never_varies_is_nought() -> None:
    told = {"problem": "regression", "targets": TARGETS["regression"], "scores": np.ones((4, 1))}
    assert quality_figure("pearson", **told) == 0.0
    told["scores"] = np.array([[1.0], [1.0], [1.0 + 1e-16], [1.0 - 1e-16]])
    assert quality_figure("pearson", **told) == 0.0
    assert quality_figure("spearman", **told) == 0.0
