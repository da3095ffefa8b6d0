"""Temperature scaling (Guo et al. 2017, section 4.2): one number T corrects how sure a model is.

Outputs are divided by T before the softmax; with several labels, before each sigmoid. T is fitted
on validation, so that the gold labels become likeliest. The order of the labels stays, so no answer
changes.

T looks better than it is on the rows it was fitted on, so the error *after* is cross-fitted: each
half of the rows is scaled by the T of the other half.
"""

from math import exp, log

from scipy.optimize import minimize_scalar

from pipeline.core.artifacts.certificates import CalibrationReport
from pipeline.metrics.calibration import calibration_error
from pipeline.metrics.thresholds import halves
from pipeline.problem.probabilities import Scores, Values, log_clipped
from pipeline.problem.problem import Problem

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
"""The range of T. Without it, rows without a mistake would ask for a T of 0."""


def calibrate(
    problem: Problem, *, gold: Values, scores: Scores, seed: int
) -> CalibrationReport | None:
    """Fits T and judges it on rows that it was not fitted on; None for numbers.

    Args:
        scores: probabilities, `(rows, outputs)`.
        seed: draws the halves.
    """
    before = calibration_error(problem, gold, scores)
    if before is None:
        return None
    first, crossed = halves(len(gold), seed), scores.copy()
    for half in (first, ~first):
        fitted = fit_temperature(problem, gold=gold[~half], scores=scores[~half])
        crossed[half] = problem.with_temperature(scores[half], fitted)
    after = calibration_error(problem, gold, crossed)
    assert after is not None  # noqa: S101 - as `before` was not
    return CalibrationReport(
        temperature=fit_temperature(problem, gold=gold, scores=scores),
        error_before=before,
        error_after=after,
        loss_before=negative_log_likelihood(problem, gold, scores),
        loss_after=negative_log_likelihood(problem, gold, crossed),
        rows=len(gold),
    )


def fit_temperature(problem: Problem, *, gold: Values, scores: Scores) -> float:
    """The T between `MIN_TEMPERATURE` and `MAX_TEMPERATURE` under which gold is likeliest.

    The loss is convex in 1/T, so shrinking an interval finds its only minimum.
    """

    def loss(logarithm: float) -> float:
        return negative_log_likelihood(
            problem, gold, problem.with_temperature(scores, exp(logarithm))
        )

    found = minimize_scalar(
        loss, bounds=(log(MIN_TEMPERATURE), log(MAX_TEMPERATURE)), method="bounded"
    )
    return exp(float(found.x))


def negative_log_likelihood(problem: Problem, gold: Values, scores: Scores) -> float:
    """Mean over rows, or over all label decisions if a row may have several labels; nats."""
    return float(-log_clipped(problem.gold_probabilities(gold, scores)).mean())
