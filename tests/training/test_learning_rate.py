"""The schedule of the learning rate."""

from pipeline.training.learning_rate import rate_factor


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    factors = [rate_factor(step, total=100, warmup_share=0.1) for step in range(101)]
    assert factors.index(max(factors)) == 10
    assert factors[100] == 0
    assert all(0 < factor <= 1 for factor in factors[:100])
