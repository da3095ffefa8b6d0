"""One disturbed round does not move the latency, and variants take turns."""

import numpy as np

from pipeline.metrics.latency import interleaved, summarise


def test_one_disturbed_round_does_not_move_the_95th_percentile_and_slow_ones_in_each_do() -> None:
    quiet = np.ones((7, 60))
    disturbed = quiet.copy()
    disturbed[3] = 50.0
    assert summarise(disturbed).p95 == summarise(quiet).p95 == 1.0
    assert summarise(disturbed).p95_all == 50.0
    slow_in_every_round = quiet.copy()
    slow_in_every_round[:, ::10] = 9.0
    assert summarise(slow_in_every_round).p95 > 8.0


def test_variants_take_turns_round_by_round() -> None:
    calls: list[str] = []
    turns: list[int] = []
    found = interleaved(
        {"first": lambda: calls.append("first"), "second": lambda: calls.append("second")},
        rounds=2,
        requests_per_round=2,
        warm_up=1,
        progress=turns.append,
    )
    assert calls == (["first"] * 3 + ["second"] * 3) * 2
    assert turns == [1, 2, 3, 4]
    assert found["first"].throughput_per_s > 0


def test_a_round_that_does_not_count_is_measured_again() -> None:
    calls: list[str] = []
    counts = iter([True, False, True])
    found = interleaved(
        {"only": lambda: calls.append("only")},
        rounds=2,
        requests_per_round=3,
        warm_up=0,
        progress=lambda _: None,
        counts=lambda: next(counts),
    )
    assert len(calls) == 9
    assert found["only"].p50 > 0
