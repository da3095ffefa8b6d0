"""Metrics have their known values, for the answers that the decision gives."""

import numpy as np
import pytest

from pipeline.metrics.quality import agreement, average_precision, quality_figure
from pipeline.problem.decision import Decision
from pipeline.problem.problems import PROBLEMS, problem_named

MULTI_LABEL, REGRESSION = problem_named("multi_label"), problem_named("regression")
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


@pytest.mark.parametrize("problem", PROBLEMS)
def test_perfect_answers_reach_one_in_every_figure(problem: str) -> None:
    kind = problem_named(problem)
    told = {"problem": kind, "targets": TARGETS[problem], "scores": PERFECT[problem]}
    for metric in kind.metrics:
        assert quality_figure(metric, **told) == pytest.approx(1.0), metric


def test_f1_counts_labels_and_a_threshold_moves_it() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.7], [0.6, 0.3], [0.1, 0.9]])
    told = {"problem": MULTI_LABEL, "targets": TARGETS["multi_label"], "scores": scores}
    # 3 of 4 labels found, and 1 that does not hold.
    assert quality_figure("micro_f1", **told) == pytest.approx(0.75)
    assert quality_figure("macro_f1", **told) == pytest.approx((0.5 + 1.0) / 2)
    strict = Decision(thresholds=(0.7, 0.5))
    assert quality_figure("micro_f1", **told, decision=strict) == pytest.approx(6 / 7)


def test_average_precision_leaves_out_labels_that_no_row_has() -> None:
    gold = np.array([[True, False], [False, False]])
    assert average_precision(gold, np.array([[0.9, 0.5], [0.1, 0.6]])) == 1.0
    assert average_precision(gold & False, np.ones((2, 2))) == 0.0


def test_models_agree_by_decisions_or_by_rank() -> None:
    gold = MULTI_LABEL.gold(TARGETS["multi_label"])
    answers = gold.copy()
    answers[1, 0] = False
    assert agreement(MULTI_LABEL, gold, answers) == 7 / 8
    numbers = REGRESSION.gold(TARGETS["regression"])
    assert agreement(REGRESSION, numbers, numbers**3) == pytest.approx(1.0)


def test_a_correlation_with_what_never_varies_is_nought() -> None:
    told = {"problem": REGRESSION, "targets": TARGETS["regression"], "scores": np.ones((4, 1))}
    assert quality_figure("pearson", **told) == 0.0
    told["scores"] = np.array([[1.0], [1.0], [1.0 + 1e-16], [1.0 - 1e-16]])
    assert quality_figure("pearson", **told) == 0.0
    assert quality_figure("spearman", **told) == 0.0
