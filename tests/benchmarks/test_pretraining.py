"""The benchmark of language models finds where its curve crosses a level."""

import pytest

from benchmarks.pretraining import crossing

CURVE = [(60.0, 2.4), (120.0, 2.0), (180.0, 1.6)]


@pytest.mark.parametrize(
    ("level", "seconds"),
    [(1.9, 135.0), (1.5, None), (2.5, 60.0)],
    ids=["between", "never", "first"],
)
def test_a_curve_crosses_a_level_between_points_or_never_or_by_its_first_point(
    level: float, seconds: float | None
) -> None:
    assert crossing(CURVE, level) == pytest.approx(seconds)
