"""The time of a run is measured at a few lengths and known for all."""

import time

import pytest

from pipeline.runtime.run_times import RunTimes


def test_between_two_measured_lengths_times_lie_on_a_line_and_beyond_the_longest_they_stay() -> (
    None
):
    lengths = list[int]()

    def run(tokens: int) -> None:
        lengths.append(tokens)
        time.sleep(tokens / 10_000)

    found = RunTimes.measure(run, longest=100)
    assert set(lengths) == {4, 16, 64, 100}
    assert found.of(64) < found.of(80) < found.of(100)
    assert found.of(82) == pytest.approx((found.of(64) + found.of(100)) / 2)
    assert found.of(1000) == found.of(100)
    assert found.of(100) >= 10


def test_a_model_of_one_token_has_a_time_too() -> None:
    assert RunTimes.measure(lambda _: None, longest=1).of(1) >= 0
