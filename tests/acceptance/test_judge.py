"""Decisions are fitted on validation, judged on rows they were not fitted on, and shipped."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.acceptance.judge import Judge
from pipeline.acceptance.predictions import Answers
from pipeline.acceptance.teacher_comparison import (
    ModelSize,
    describe_variant,
    difference_interval,
    quality_table,
)
from pipeline.core.sections import EvaluateParams
from pipeline.metrics.thresholds import NEVER_SURE, fit_abstention, halves
from pipeline.problem.decision import Decision
from pipeline.problem.problems import problem_named

USUAL: dict[str, Any] = {"confidence": 0.95, "resamples": 50, "min_slice_rows": 5}


def judge_of(
    problem: str, metric: str, *, thresholds: str = "fixed", abstain_quality: float | None = None
) -> Judge:
    fitted = {"thresholds": thresholds, "abstain_quality": abstain_quality}
    kind, options = problem_named(problem), EvaluateParams(**USUAL, **fitted)
    return Judge(problem=kind, metric=metric, options=options, seed=1)


def answers_of(targets: NDArray[np.float64], scores: NDArray[np.float64]) -> Answers:
    named = {"variant": "student-int8", "split": "validation"}
    return Answers(**named, ids=[*map(str, range(len(targets)))], targets=targets, scores=scores)


def rare_label(rows: int = 400) -> Answers:
    """Two labels; the second is rare, and the model finds it but says so with too low a probability."""
    random = np.random.default_rng(3)
    gold = (random.random(rows) < 0.15).astype(np.float64)
    second = np.clip(0.1 + 0.25 * gold + 0.05 * random.standard_normal(rows), 0.01, 0.99)
    return answers_of(gold[:, None], np.stack([1 - second, second], axis=1))


def many_labels(rows: int = 300) -> Answers:
    random = np.random.default_rng(5)
    gold = (random.random((rows, 3)) < [0.5, 0.3, 0.1]).astype(np.float64)
    centre = np.array([0.5, 0.3, 0.15])
    scores = np.clip(centre + 0.2 * (gold - 0.5) + 0.05 * random.standard_normal(gold.shape), 0, 1)
    return answers_of(gold, scores)


def numbers(rows: int = 200) -> Answers:
    random = np.random.default_rng(7)
    gold = random.random((rows, 1)) * 5
    return answers_of(gold, gold + random.standard_normal((rows, 1)))


def test_a_fitted_threshold_finds_the_rare_label_that_the_likeliest_label_never_is() -> None:
    answers = rare_label()
    judge = judge_of("classification", "macro_f1", thresholds="fitted")
    decision = judge.fit(answers)
    assert decision.thresholds is not None
    assert sum(decision.thresholds) == pytest.approx(1.0)
    assert 0.1 < decision.thresholds[1] < 0.35
    usual = judge.judge(answers, Decision()).figure("macro_f1")
    assert judge.judge(answers, decision).figure("macro_f1") > usual + 0.3


@pytest.mark.parametrize("metric", ["micro_f1", "macro_f1", "average_precision"])
def test_each_of_several_labels_gets_a_threshold_of_its_own(metric: str) -> None:
    answers = many_labels()
    judge = judge_of("multi_label", metric, thresholds="fitted")
    fitted, usual = judge.judge(answers, judge.fit(answers)), judge.judge(answers, Decision())
    for figure in ("micro_f1", "macro_f1"):
        assert fitted.figure(figure) > usual.figure(figure) + 0.1


def test_fitting_on_noise_gains_nothing_once_cross_fitted() -> None:
    random = np.random.default_rng(2)
    second = random.random(60)
    gold = random.integers(0, 2, (60, 1)).astype(np.float64)
    answers = answers_of(gold, np.stack([1 - second, second], axis=1))
    judge = judge_of("classification", "accuracy", thresholds="fitted")
    same_rows = judge.judge(answers, judge.fit(answers)).figure("accuracy")
    honest = judge.judge_fitted(answers).figure("accuracy")
    assert honest < same_rows


def test_each_half_is_answered_by_a_decision_fitted_on_the_other() -> None:
    answers = rare_label()
    judge = judge_of("classification", "macro_f1", thresholds="fitted")
    first = halves(len(answers.ids), judge.seed)
    assert first.sum() == 200
    other = answers_of(answers.targets[~first], answers.scores[~first])
    expected = judge.problem.answers(answers.scores[first], judge.fit(other))
    np.testing.assert_array_equal(judge.judge_fitted(answers).answers[first], expected)


def test_nothing_fitted_leaves_the_usual_answers() -> None:
    answers = rare_label()
    found = judge_of("classification", "accuracy").judge_fitted(answers)
    np.testing.assert_array_equal(found.answers, answers.scores.argmax(axis=1))
    assert not found.abstained.any()


@pytest.mark.parametrize(
    ("least_right", "all_wrong", "abstain_below"),
    [
        (0.75, False, 0.7),  # with the two at .7: 3 of 4 right; all: 3 of 5
        (0.9, False, 0.8),
        (0.5, False, None),
        (0.9, True, NEVER_SURE),
    ],
)
def test_as_many_answers_are_given_as_stay_right_often_enough(
    least_right: float, all_wrong: bool, abstain_below: float | None
) -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3], [0.6, 0.4]])
    given = {"gold": np.array([0, 0, 0, 1, 1]) | all_wrong, "scores": scores}
    kind = problem_named("classification")
    fitted = fit_abstention(kind, Decision(), **given, least_right=least_right)
    assert fitted == Decision(abstain_below=abstain_below)


def test_what_is_answered_is_told_with_its_share_and_its_right_share() -> None:
    answers = rare_label()
    judge = judge_of("classification", "accuracy", abstain_quality=0.97)
    answered = judge.answered(judge.judge_fitted(answers))
    assert 0 < answered.share < 1
    assert answered.right is not None
    assert answered.right > 0.9
    everything = judge_of("classification", "accuracy")
    assert everything.answered(everything.judge_fitted(answers)).share == 1.0


@pytest.mark.parametrize(
    ("problem", "metric", "answers"),
    [
        ("classification", "matthews", rare_label()),
        ("multi_label", "average_precision", many_labels()),
        ("regression", "spearman", numbers()),
    ],
)
def test_every_problem_has_a_table_slices_and_an_interval_of_the_products_figure(
    problem: str, metric: str, answers: Answers
) -> None:
    judge = judge_of(problem, metric)
    judged = judge.judge_fitted(answers)
    masks = {"first half": np.arange(len(answers.ids)) < len(answers.ids) // 2}
    told = {"teacher": judged, "masks": masks, "decision": Decision(), "size": ModelSize()}
    report = describe_variant("student-int8", {"validation": judged}, **told, judge=judge)
    quality = report.quality.validation
    low, high = quality.intervals[metric]
    assert low <= quality.figures[metric] <= high
    assert report.agreement == pytest.approx(1.0)
    assert report.difference_to_teacher.interval == [0.0, 0.0]
    first = judge.row_scores(judged)[masks["first half"]]
    assert report.slices[0].score == pytest.approx(first.mean())


def test_a_classifier_keeps_accuracy_and_its_interval_whatever_it_is_judged_by() -> None:
    judge = judge_of("classification", "macro_f1")
    table = quality_table(judge.judge_fitted(rare_label()), judge)
    assert set(table.figures) == {"accuracy", "macro_f1", "matthews"}
    assert set(table.intervals) == {"accuracy", "macro_f1"}


def test_a_worse_model_is_seen_to_be_worse_in_a_figure_that_is_no_mean() -> None:
    judge, good = judge_of("regression", "pearson"), numbers()
    noise = np.random.default_rng(1).standard_normal(good.scores.shape) * 3
    bad = answers_of(good.targets, good.scores + noise)
    found = difference_interval(judge.judge_fitted(good), judge.judge_fitted(bad), judge)
    assert 0 < found.low < found.value < found.high
