"""The verdict over a candidate: promote, roll back, or undecided."""

import numpy as np
import pytest

from pipeline.judge.judgement import (
    LOOK_EVERY,
    Allowance,
    Judge,
    JudgeLimits,
    Judgement,
    judged,
    promotes,
)
from pipeline.judge.pairs import STREAMS, Pair

LIMITS = JudgeLimits()


def pair(
    *,
    failed: bool = False,
    champion_failed: bool = False,
    times: float = 1.0,
    same: bool = True,
    confidence: tuple[float, float] | None = (0.9, 0.9),
) -> Pair:
    whole = not (failed or champion_failed)
    return Pair(
        failed=(champion_failed, failed),
        milliseconds=(1.0, times),
        same_label=same if whole else None,
        confidence=confidence if whole else None,
    )


def mixed(bad: Pair, *, every: int, count: int) -> list[Pair]:
    """So many pairs, of which each of a certain number is bad."""
    return [bad if number % every == 0 else pair() for number in range(1, count + 1)]


def test_ten_requests_are_undecided_however_bad_they_are() -> None:
    awful = judged([pair(failed=True)] * 10, LIMITS)
    assert (awful.outcome, awful.decided_at, awful.because) == ("undecided", None, ())
    assert judged([pair(times=9.0, same=False)] * 10, LIMITS).outcome == "undecided"
    assert judged([pair()] * 10, LIMITS).outcome == "undecided"


@pytest.mark.parametrize(
    ("bad", "stream"),
    [
        (pair(failed=True), "error"),
        (pair(times=2.0), "slower"),
        (pair(same=False), "other label"),
        (pair(confidence=(0.9, 0.7)), "less sure"),
    ],
)
def test_each_stream_raises_the_alarm_and_is_named(bad: Pair, stream: str) -> None:
    found = judged([bad] * LOOK_EVERY, LIMITS)
    assert (found.outcome, found.because, found.decided_at) == ("roll back", (stream,), LOOK_EVERY)


@pytest.mark.parametrize(
    "good", [pair(champion_failed=True), pair(times=0.5), pair(confidence=(0.7, 0.9))]
)
def test_a_candidate_that_is_better_raises_no_alarm(good: Pair) -> None:
    assert judged(mixed(good, every=2, count=2000), LIMITS).outcome == "promote"


def test_silence_is_no_reason_to_promote() -> None:
    few = judged([pair()] * 400, LIMITS)
    assert few.outcome == "undecided"
    assert max(state.alarm for state in few.streams) < 1
    assert min(state.shown for state in few.streams) < 1


def test_a_candidate_that_never_differs_is_promoted_once_that_is_shown() -> None:
    found = judged([pair()] * 2000, LIMITS)
    assert found.outcome == "promote"
    assert found.because == STREAMS
    assert found.decided_at is not None
    assert 400 < found.decided_at <= 700


def test_other_labels_within_the_allowance_are_no_fault_and_beyond_it_are_one() -> None:
    other = pair(same=False)
    assert judged(mixed(other, every=60, count=6000), LIMITS).outcome == "promote"
    assert judged(mixed(other, every=15, count=2000), LIMITS).because == ("other label",)
    wide = JudgeLimits(other_label=Allowance(allowed=0.10, margin=0.02))
    assert judged(mixed(other, every=15, count=6000), wide).outcome == "promote"


def test_what_is_worse_by_the_margin_is_not_promoted() -> None:
    errs = mixed(pair(failed=True), every=100, count=700)
    states = {state.name: state for state in judged(errs, LIMITS).streams}
    assert states["error"].shown < 1
    assert states["error"].mean == pytest.approx(0.01)


def test_the_first_verdict_stands() -> None:
    judge = Judge(LIMITS)
    for _ in range(LOOK_EVERY):
        judge.take(pair(failed=True))
    for _ in range(5000):
        judge.take(pair(champion_failed=True))
    assert not judge.open
    found = judge.judgement()
    assert (found.outcome, found.pairs) == ("roll back", LOOK_EVERY)


def test_answers_that_are_numbers_need_not_show_how_sure_they_are() -> None:
    number = pair(confidence=None)
    assert judged([number] * 2000, LIMITS).outcome == "promote"


def test_a_candidate_with_nothing_but_failures_of_both_is_not_promoted() -> None:
    both = pair(failed=True, champion_failed=True)
    assert judged([both] * 3000, LIMITS).outcome == "undecided"


def test_a_judgement_counts_each_stream() -> None:
    found: Judgement = judged([pair(times=2.0), pair(times=0.4), pair(failed=True)], LIMITS)
    slower = found.streams[STREAMS.index("slower")]
    assert (slower.pairs, slower.worse, slower.better, slower.mean) == (2, 1, 1, 0.0)
    assert found.streams[STREAMS.index("error")].mean == pytest.approx(1 / 3)


def test_promotion_asks_for_every_stream() -> None:
    counts = np.ones((2, len(STREAMS), 3), dtype=np.int64)
    shown = np.array([[True] * 4, [True, False, True, True]])
    assert promotes(counts, shown).tolist() == [True, False]
