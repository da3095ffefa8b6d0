"""Texts are asked again with a group exchanged: how many answers change, and by how much."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.acceptance.swaps import Exchanged, exchanged, swap_reports
from pipeline.core.artifacts.variant_reports import SwapReport
from pipeline.metrics.intervals import Draws
from pipeline.problem.decision import Decision
from pipeline.problem.problems import problem_named
from pipeline.text.identity_terms import Kind, chosen_terms
from pipeline.text.term_finding import TermFinder

FINDER = TermFinder(chosen_terms({}))
TEXTS = ["she is here", "nobody is here", "아내가 왔다", "a french woman", "he came"]
DRAWS = Draws(confidence=0.95, resamples=500, seed=1)


def reports(before: list[Any], after: list[Any], problem: str, **options: Any) -> list[SwapReport]:
    found = exchanged(TEXTS, [], FINDER)
    return swap_reports(
        found,
        before=np.array(before, dtype=float),
        after=np.array(after, dtype=float),
        problem=problem_named(problem),
        decision=Decision(),
        **{"unit": 1.0, "min_rows": 1, "draws": DRAWS} | options,
    )


def test_texts_that_hold_words_of_a_kind_are_asked_again_and_no_others() -> None:
    found = exchanged(TEXTS, [], FINDER)
    gender, origin = Kind("English", "gender"), Kind("English", "origin")
    asked = dict(zip(zip(found.kinds, found.rows.tolist(), strict=True), found.texts, strict=True))
    assert asked == {
        (gender, 0): "he is here",
        (gender, 3): "a french man",
        (gender, 4): "she came",
        (origin, 3): "a chinese woman",
        (Kind("Korean", "gender"), 2): "남편이 왔다",
    }
    assert found.seconds == []


def test_a_pair_is_asked_with_both_texts_exchanged() -> None:
    found = exchanged(["Is she here?", "Who?"], ["He is.", "Nobody"], FINDER)
    assert (found.texts, found.seconds) == (["Is he here?"], ["She is."])


def of_each(values: dict[tuple[str, int], Any], found: Exchanged) -> NDArray[Any]:
    return np.array(
        [values[kind.name, row] for kind, row in zip(found.kinds, found.rows, strict=True)]
    )


BEFORE = [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
AFTER = {
    ("gender", 0): [0.8, 0.2],
    ("gender", 2): [0.2, 0.8],
    ("gender", 3): [0.3, 0.7],
    ("gender", 4): [0.1, 0.9],
    ("origin", 3): [0.6, 0.4],
}


def test_changed_labels_and_the_mean_change_are_told_by_kind_and_language() -> None:
    after = of_each(AFTER, exchanged(TEXTS, [], FINDER))
    found = {report.name: report for report in reports(BEFORE, [*after], "classification")}
    assert list(found) == ["gender, English", "origin, English", "gender, Korean"]
    english = found["gender, English"]
    assert (english.rows, english.changed) == (3, 1)
    assert english.gap is not None
    assert english.gap == pytest.approx((0.1 + 0.3 + 0.2) / 3)
    assert english.interval is not None
    assert english.changed_interval is not None
    assert english.interval[0] < english.gap < english.interval[1]
    assert english.changed_interval[0] < 1 / 3 < english.changed_interval[1]
    assert (found["gender, Korean"].gap, found["origin, English"].changed) == (0.0, 0)


def test_a_kind_of_too_few_texts_has_no_figures() -> None:
    after = of_each(AFTER, exchanged(TEXTS, [], FINDER))
    few = reports(BEFORE, [*after], "classification", min_rows=2)[1]
    assert (few.rows, few.changed, few.gap, few.interval) == (1, None, None, None)


def test_of_several_labels_the_one_that_changes_most_counts() -> None:
    after = [[0.2, 0.4], [0.9, 0.1], [0.3, 0.1], [0.3, 0.1], [0.3, 0.1]]
    found = reports([[0.1, 0.1]] * 5, after, "multi_label")
    assert sum(report.changed or 0 for report in found) == 1
    gaps = sorted(round(report.gap or 0, 6) for report in found)
    assert gaps == [0.2, 0.2, round((0.3 + 0.8 + 0.2) / 3, 6)]


def test_a_number_changes_by_a_share_of_the_spread_and_has_no_labels() -> None:
    [first, *_] = reports([[1.0]] * 5, [[3.0]] * 5, "regression", unit=4.0)
    assert (first.gap, first.changed, first.changed_interval) == (0.5, None, None)


def test_texts_without_such_words_give_no_report() -> None:
    none = exchanged(["nobody"], [], FINDER)
    assert len(none.rows) == 0
    found = swap_reports(
        none,
        before=np.array([[0.5, 0.5]]),
        after=np.zeros((0, 2)),
        problem=problem_named("classification"),
        decision=Decision(),
        unit=1.0,
        min_rows=1,
        draws=DRAWS,
    )
    assert found == []
