"""The decision about a new model, case by case."""

import pytest

from pipeline.metrics.intervals import Interval
from pipeline.monitoring.decide import Comparison, decide


@pytest.mark.parametrize(
    ("value", "low", "high", "released", "words"),
    [
        (0.02, 0.01, 0.03, True, "At least as good"),
        (0.0, -0.03, 0.03, True, "At least as good"),
        (-0.002, -0.008, 0.004, True, "Not worse by more than 1 points"),
        (-0.004, -0.01, -0.001, True, "Not worse by more than 1 points"),
        (-0.004, -0.02, 0.01, False, "inconclusive"),
        (-0.03, -0.05, -0.01, False, "Worse"),
        (float("nan"), float("nan"), float("nan"), False, "champion stays"),
    ],
)
def test_a_model_is_released_only_when_it_is_not_worse(
    value: float, low: float, high: float, released: bool, words: str
) -> None:
    comparison = Comparison(800, 0.80, 0.80 + value, Interval(value, low, high), "accuracy")
    decision = decide(comparison, changed=["sources"])
    assert decision.release is released
    assert words in decision.reason
    assert "sources" in decision.reason


def test_few_rows_decide_nothing() -> None:
    comparison = Comparison(12, 0.5, 1.0, Interval(0.5, 0.4, 0.6), "accuracy")
    decision = decide(comparison, changed=["sources"])
    assert not decision.release
    assert "Too few rows" in decision.reason
