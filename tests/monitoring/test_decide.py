"""The decision about a new model, case by case."""

import pytest

from pipeline.metrics.intervals import Interval
from pipeline.monitoring.decide import Comparison, decide


@pytest.mark.parametrize(
    ("rows", "value", "low", "high", "released", "words"),
    [
        (800, 0.02, 0.01, 0.03, True, "At least as good"),
        (800, 0.0, -0.03, 0.03, True, "At least as good"),
        (800, -0.002, -0.008, 0.004, True, "Not worse by more than 1 points"),
        (800, -0.004, -0.01, -0.001, True, "Not worse by more than 1 points"),
        (800, -0.004, -0.02, 0.01, False, "inconclusive"),
        (800, -0.03, -0.05, -0.01, False, "Worse"),
        (800, float("nan"), float("nan"), float("nan"), False, "champion stays"),
        (12, 0.5, 0.4, 0.6, False, "Too few rows"),
    ],
)
def test_a_model_is_released_only_when_enough_rows_show_that_it_is_not_worse(
    rows: int, value: float, low: float, high: float, released: bool, words: str
) -> None:
    comparison = Comparison(rows, 0.50, 0.50 + value, Interval(value, low, high), "accuracy")
    decision = decide(comparison, changed=["sources"])
    assert decision.release is released
    assert words in decision.reason
    assert "sources" in decision.reason
