"""The rule of the gate: what passes, what fails, what these rows cannot tell, and what is chosen."""

import re
from typing import Any

import numpy as np
import pytest

from pipeline.acceptance import requirements
from pipeline.acceptance.judge import Judge
from pipeline.acceptance.predictions import Answers
from pipeline.acceptance.verdict import Evidence, choose
from pipeline.core.artifacts.variant_reports import Answered, BySplit, SwapReport
from pipeline.core.artifacts.verdicts import Check
from pipeline.core.params import parse_params
from pipeline.core.sections import EvaluateParams
from pipeline.core.variants import Variant
from pipeline.metrics.intervals import Interval
from pipeline.problem.problems import problem_named
from tests.support.example_artifacts import data_report, slice_report, swap_report, variant_report
from tests.support.repository import parameter_values

OPTIONS = EvaluateParams(
    confidence=0.95, resamples=500, min_slice_rows=5, thresholds="fixed", abstain_quality=None
)
PARAMS = parse_params(parameter_values())
JUDGE = Judge(problem=problem_named("classification"), metric="accuracy", options=OPTIONS, seed=1)


@pytest.mark.parametrize(
    ("found", "outcome", "qualified"),
    [
        (Interval(0.85, 0.82, 0.88), "passed", True),
        (Interval(0.81, 0.78, 0.84), "inconclusive", True),
        (Interval(0.79, 0.76, 0.82), "inconclusive", False),
        (Interval(0.70, 0.67, 0.73), "failed", False),
    ],
)
def test_an_interval_over_the_limit_is_inconclusive_and_the_figure_decides(
    found: Interval, outcome: str, qualified: bool
) -> None:
    check = requirements.at_least("min_quality", found, 0.8, unit="accuracy")
    assert (check.outcome, requirements.qualifies([check])) == (outcome, qualified)


def test_a_drop_that_is_surely_too_large_fails() -> None:
    check = requirements.at_most(
        "max_quality_drop", Interval(0.1, 0.07, 0.13), 0.06, unit="accuracy"
    )
    assert check.outcome == "failed"
    assert not requirements.qualifies([check])


def test_a_slice_bars_only_when_its_whole_interval_is_over_the_limit() -> None:
    noisy = slice_report("short", 0.2, [0.05, 0.35])
    sure = slice_report("long", 0.18, [0.14, 0.22])
    few = slice_report("rare")
    assert requirements.check_slices([few], 0.12, unit="accuracy").outcome == "passed"
    assert requirements.qualifies([requirements.check_slices([noisy, few], 0.12, unit="accuracy")])
    assert requirements.check_slices([noisy, few], 0.12, unit="accuracy").outcome == "inconclusive"
    assert not requirements.qualifies(
        [requirements.check_slices([noisy, sure, few], 0.12, unit="accuracy")]
    )


def test_exchanged_groups_bar_only_when_the_whole_interval_is_over_the_limit() -> None:
    noisy = swap_report("age", 0.2, [0.02, 0.35])
    sure = swap_report("gender", 0.15, [0.11, 0.19])
    few = swap_report("religion")

    def check(*swaps: SwapReport) -> Check:
        return requirements.check_swaps(swaps, 0.1, unit="change")

    assert check(few).outcome == check().outcome == "passed"
    assert (check(noisy, few).outcome, requirements.qualifies([check(noisy)])) == (
        *("inconclusive", True),
    )
    assert check(noisy, sure, few).name == "max_swap_gap: gender, English"
    assert not requirements.qualifies([check(noisy, sure, few)])


def test_what_was_not_measured_has_failed() -> None:
    assert requirements.exactly_at_most("memory_mb", None, 300, unit="MB").outcome == "failed"
    assert requirements.exactly_at_most("memory_mb", 300, 300, unit="MB").outcome == "passed"


def test_a_model_that_answers_nothing_is_not_released() -> None:
    assert requirements.check_answered(None) == []
    some = BySplit[Answered](validation=Answered(share=0.4, right=0.9))
    none = BySplit[Answered](validation=Answered(share=0.0, right=None))
    assert requirements.qualifies(requirements.check_answered(some))
    assert not requirements.qualifies(requirements.check_answered(none))


def test_the_table_names_the_nearest_variant_first() -> None:
    far = [requirements.exactly_at_most("size_mb", 90.0, 8.0, unit="MB")]
    near = [requirements.exactly_at_most("size_mb", 8.5, 8.0, unit="MB")]
    error = requirements.nothing_qualifies({"teacher-fp32": far, "student-int8": near})
    assert (error.nearest, error.missed) == ("student-int8", ("size_mb",))
    assert re.search(r"student-int8 .* 0\.5 (.|\n)*teacher-fp32 .* 82 ", str(error))
    assert "student-int8 is nearest" in str(error)


def evidence(correct: dict[str, float], sizes: dict[str, int]) -> Evidence:
    gold = np.zeros((1000, 1))
    judged, evaluated = {}, {}
    for name, share in correct.items():
        wrong = np.arange(1000) >= share * 1000
        probabilities = np.stack([~wrong, wrong], axis=1).astype(np.float64)
        named = {"variant": name, "split": "validation", "ids": []}
        judged[name] = JUDGE.judge_fitted(Answers(**named, targets=gold, scores=probabilities))
        evaluated[name] = variant_report(name, quality=share, size_bytes=sizes[name])
    unread: Any = {key: {} for key in ("measured", "exported", "quantized", "licences")}
    report = data_report(PARAMS)
    return Evidence(evaluated=evaluated, validation=judged, data_report=report, **unread)


def test_the_smallest_that_is_not_significantly_worse_is_chosen() -> None:
    teacher, student, pruned = (Variant(m, "int8") for m in ("teacher", "student", "pruned"))
    known = evidence(
        {"teacher-int8": 0.850, "student-int8": 0.849, "pruned-int8": 0.70},
        {"teacher-int8": 23, "student-int8": 3, "pruned-int8": 2},
    )
    chosen, reason = choose([teacher, student, pruned], known, judge=JUDGE)
    assert chosen == student
    assert "not significantly worse than that of teacher-int8" in reason
    assert choose([teacher, pruned], known, judge=JUDGE)[0] == teacher
