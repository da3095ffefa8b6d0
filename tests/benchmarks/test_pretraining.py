"""The benchmark of language models finds where its curve crosses a level."""

import pytest

from benchmarks.pretraining import crossing

CURVE = [(60.0, 2.4), (120.0, 2.0), (180.0, 1.6)]


def test_a_curve_crosses_between_two_points() -> None:
    assert crossing(CURVE, 1.9) == pytest.approx(135.0)


def test_a_curve_that_stays_above_does_not_cross() -> None:
    assert crossing(CURVE, 1.5) is None


def test_a_curve_that_begins_below_has_crossed_by_its_first_point() -> None:
    assert crossing(CURVE, 2.5) == 60.0
