"""Disturbed rounds do not move the latency, and variants take turns."""

import time
from functools import partial
from itertools import groupby

import numpy as np

from pipeline.metrics.latency import interleaved, summarise


def test_disturbed_windows_do_not_move_the_figures_and_slow_requests_in_each_do() -> None:
    quiet = np.ones((30, 60))
    disturbed = quiet.copy()
    disturbed[3:] = 50.0
    assert summarise(disturbed).p95 == summarise(quiet).p95 == 1.0
    assert summarise(disturbed).p50 == summarise(quiet).p50 == 1.0
    assert summarise(disturbed).p95_all == 50.0
    slow_in_every_window = quiet.copy()
    slow_in_every_window[:, ::10] = 9.0
    assert summarise(slow_in_every_window).p95 > 8.0


def test_windows_are_chosen_by_their_medians_so_their_slow_requests_stay() -> None:
    times = np.full((20, 60), 2.0)
    times[:2] = 1.0
    times[:2, ::10] = 9.0
    assert summarise(times).p50 == 1.0
    assert summarise(times).p95 > 8.0


def test_variants_take_turns_round_by_round() -> None:
    calls: list[str] = []
    turns: list[int] = []

    def slow(name: str) -> None:
        calls.append(name)
        time.sleep(0.03)

    found = interleaved(
        {"first": lambda: slow("first"), "second": lambda: slow("second")},
        rounds=2,
        requests_per_round=7,
        warm_up=1,
        progress=turns.append,
    )
    assert [name for name, _ in groupby(calls)][-4:] == ["first", "second"] * 2
    assert calls[-16:] == ["first"] * 8 + ["second"] * 8
    assert turns == [1, 2, 3, 4]
    assert found["first"].throughput_per_s > 0


def test_quick_requests_are_made_more_often() -> None:
    counts = {"quick": 0, "slow": 0}

    def request(name: str) -> None:
        counts[name] += 1
        time.sleep({"quick": 0.001, "slow": 0.05}[name])

    interleaved(
        {name: partial(request, name) for name in counts},
        rounds=1,
        requests_per_round=5,
        warm_up=0,
        progress=lambda _: None,
    )
    tried = 5
    assert counts["slow"] - tried == 5
    assert 5 < counts["quick"] - tried <= 75


def test_a_round_that_does_not_count_is_measured_again() -> None:
    rounds: list[int] = []
    counts = iter([True, False, True])
    found = interleaved(
        {"only": lambda: None},
        rounds=2,
        requests_per_round=3,
        warm_up=0,
        progress=rounds.append,
        counts=lambda: next(counts),
    )
    assert rounds == [1, 2, 2]
    assert found["only"].p50 > 0
