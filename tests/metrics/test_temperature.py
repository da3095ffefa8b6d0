"""Temperature scaling corrects probabilities that are too sure, and leaves honest ones alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.metrics import temperature
from pipeline.metrics.temperature import MAX_TEMPERATURE, calibrate, fit_temperature
from pipeline.problem.probabilities import Values
from pipeline.problem.problem import Problem
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()
ROWS = 4000
WITH_LABELS = pytest.mark.parametrize("problem", [CLASSIFICATION, MULTI_LABEL])


def honest(problem: Problem, *, outputs: int = 3) -> tuple[NDArray[np.float64], Values]:
    """Outputs `(rows, outputs)`, and gold drawn by the very probabilities that they mean."""
    random = np.random.default_rng(3)
    logits = 2 * random.standard_normal((ROWS, outputs))
    scores, drawn = problem.scores(logits), random.random((ROWS, outputs))
    if problem is MULTI_LABEL:
        return logits, drawn < scores
    return logits, (scores.cumsum(axis=1) < drawn[:, :1]).sum(axis=1)


@WITH_LABELS
@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_outputs_that_were_multiplied_get_their_factor_back(
    problem: Problem, factor: float
) -> None:
    logits, gold = honest(problem)
    found = calibrate(problem, gold=gold, scores=problem.scores(factor * logits), seed=1)
    assert found is not None
    assert found.temperature == pytest.approx(factor, rel=0.06)
    assert found.error_before > 0.05
    assert found.error_after < 0.02
    assert found.loss_after < found.loss_before
    assert found.rows == ROWS


@WITH_LABELS
def test_honest_probabilities_are_left_alone(problem: Problem) -> None:
    logits, gold = honest(problem)
    found = calibrate(problem, gold=gold, scores=problem.scores(logits), seed=1)
    assert found is not None
    assert found.temperature == pytest.approx(1.0, abs=0.05)
    assert found.error_after == pytest.approx(found.error_before, abs=0.01)


@WITH_LABELS
def test_scaling_probabilities_is_dividing_the_outputs(problem: Problem) -> None:
    logits, _ = honest(problem)
    found = problem.with_temperature(problem.scores(logits), 2.5)
    np.testing.assert_allclose(found, problem.scores(logits / 2.5), rtol=0, atol=1e-12)


def test_no_row_is_scaled_by_a_temperature_that_it_was_fitted_on() -> None:
    # Noise: the T of one half does not help the other, so the loss cannot fall further.
    random = np.random.default_rng(0)
    gold = random.integers(0, 2, 40)
    scores = CLASSIFICATION.scores(random.normal(size=(40, 2)))
    found = calibrate(CLASSIFICATION, gold=gold, scores=scores, seed=1)
    assert found is not None
    everywhere = CLASSIFICATION.with_temperature(scores, found.temperature)
    assert found.loss_after > temperature.negative_log_likelihood(CLASSIFICATION, gold, everywhere)


def test_a_model_without_a_mistake_keeps_to_the_bounds() -> None:
    gold = np.array([0, 1] * 20)
    scores = np.where(np.arange(2) == gold[:, None], 1.0, 0.0)
    right = fit_temperature(CLASSIFICATION, gold=gold, scores=scores)
    assert temperature.MIN_TEMPERATURE <= right <= MAX_TEMPERATURE
    wrong = fit_temperature(CLASSIFICATION, gold=1 - gold, scores=scores)
    assert wrong == pytest.approx(MAX_TEMPERATURE, rel=0.01)


def test_a_number_has_no_temperature() -> None:
    numbers = np.ones((4, 1))
    assert calibrate(REGRESSION, gold=numbers[:, 0], scores=numbers, seed=1) is None
    with pytest.raises(ValueError, match="no probability"):
        fit_temperature(REGRESSION, gold=numbers[:, 0], scores=numbers)
