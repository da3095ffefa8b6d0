"""Intervals follow draws that lie to one side of the value."""

import numpy as np
import pytest

from pipeline.metrics.bias_corrected import bias_corrected_interval


def test_draws_that_lie_below_the_value_move_the_interval_up() -> None:
    drawn = np.random.default_rng(1).normal(size=10_000)
    plain, moved = (bias_corrected_interval(value, drawn, confidence=0.95) for value in (0.0, 0.25))
    assert [plain.low, plain.high] == pytest.approx([-1.96, 1.96], abs=0.1)
    assert [moved.low, moved.high] == pytest.approx([-1.96 + 0.5, 1.96 + 0.5], abs=0.1)


def test_draws_that_are_all_the_value_have_no_width() -> None:
    found = bias_corrected_interval(1.0, np.ones(100), confidence=0.95)
    assert found.as_list() == [1.0, 1.0]
