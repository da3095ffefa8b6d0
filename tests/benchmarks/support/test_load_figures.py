"""Figures of a load count every request from when it was due, and none is lost."""

import math

import numpy as np
import pytest

from benchmarks.support.load_figures import (
    Answers,
    Bar,
    Outcome,
    a_second,
    percentile,
    steady_arrivals,
)


def answers(*requests: tuple[float, float, float, int]) -> Answers:
    """Answers from when each was due, sent and done, and its status."""
    due, sent, done, status = zip(*requests, strict=True)
    return Answers(
        due=np.array(due), sent=np.array(sent), done=np.array(done), status=np.array(status)
    )


def test_a_percentile_is_one_of_the_times_and_not_exceeded_by_that_share() -> None:
    times = np.arange(1.0, 101.0)
    assert [percentile(times, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile(np.array([7.0]), 99) == 7
    assert math.isnan(percentile(np.array([]), 99))


def test_a_request_that_was_sent_late_counts_from_when_it_was_due() -> None:
    found = answers((1.0, 1.5, 1.6, 200))
    assert found.milliseconds == pytest.approx([600])
    assert found.late_milliseconds == pytest.approx([500])


def test_a_request_without_an_answer_took_for_ever() -> None:
    found = answers((0.0, 0.0, 0.1, 200), (0.0, 0.0, math.nan, 0), (0.0, math.nan, math.nan, 0))
    assert found.milliseconds.tolist() == pytest.approx([100, math.inf, math.inf])
    assert found.late_milliseconds.tolist() == [0, 0, math.inf]
    assert found.failed == 2
    assert percentile(found.milliseconds, 99) == math.inf


def test_only_answers_with_200_are_accepted_and_only_those_with_503_refused() -> None:
    found = answers((0, 0, 0.1, 200), (0, 0, 0.2, 503), (0, 0, 0.4, 500))
    assert found.accepted == pytest.approx([100])
    assert found.refused == pytest.approx([200])
    assert found.failed == 2


def test_a_rate_counts_good_answers_until_the_last_came() -> None:
    assert a_second(answers((0, 0, 1.0, 200), (1, 1, 2.0, 200), (1, 1, 4.0, 503))) == 0.5
    assert a_second(answers((0, 0, 1.0, 503))) == 0


def test_arrivals_have_the_rate_and_the_gaps_of_a_poisson_process() -> None:
    due = steady_arrivals(500.0, 20.0, seed=0)
    gaps = np.diff(due, prepend=0.0)
    assert len(due) == 10_000
    assert gaps.min() > 0
    assert gaps.mean() == pytest.approx(1 / 500, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert np.array_equal(due, steady_arrivals(500.0, 20.0, seed=0))
    assert not np.array_equal(due, steady_arrivals(500.0, 20.0, seed=1))


@pytest.mark.parametrize(
    ("value", "at_least", "reached"),
    [
        (2.0, False, True),
        (2.1, False, False),
        (2.0, True, True),
        (1.9, True, False),
        (math.nan, False, False),
        (math.nan, True, False),
        (math.inf, False, False),
    ],
)
def test_a_bar_is_reached_at_its_limit_and_never_by_what_is_no_number(
    value: float, at_least: bool, reached: bool
) -> None:
    bar = Bar(name="times", value=value, limit=2.0, at_least=at_least)
    assert bar.reached == reached
    assert ("reached" in str(bar), "MISSED" in str(bar)) == (reached, not reached)


def test_an_outcome_is_json_without_infinities() -> None:
    bar = Bar(name="p99", value=math.inf, limit=5.0)
    found = Outcome(figures={"p99": math.inf, "rate": 1 / 3}, bars=[bar], left_out={"x": "why"})
    assert found.as_dict() == {
        "p99": None,
        "rate": 0.333333,
        "bars": {"p99": {"value": None, "at_most": 5.0, "reached": False}},
        "left_out": {"x": "why"},
    }
