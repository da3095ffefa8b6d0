"""Quantile levels of bias-corrected intervals: plain ones without bias, moved towards the draws' other side with it."""

import pytest

from pipeline.core.bootstrap_levels import bootstrap_levels


def test_draws_on_both_sides_alike_give_plain_percentiles() -> None:
    assert bootstrap_levels(0.5, confidence=0.95) == pytest.approx((0.025, 0.975))


def test_draws_that_lie_below_the_value_move_both_ends_up() -> None:
    # z0 = 0.2533, 2 z0 -+ 1.96 = -1.4533 and 2.4666.
    assert bootstrap_levels(0.6, confidence=0.95) == pytest.approx((0.0731, 0.9932), abs=1e-4)


@pytest.mark.parametrize("below", [0.0, 1.0])
def test_a_value_beyond_all_draws_has_levels_all_the_same(below: float) -> None:
    low, high = bootstrap_levels(below, confidence=0.95)
    assert 0 <= low <= high <= 1
