"""Temperature scaling: one number that makes probabilities less, or more, sure of themselves.

Guo et al. 2017, section 4.2: outputs are divided by T before the softmax (of several labels, before each
sigmoid). T is fitted by the likelihood of gold on validation. No answer changes, for the order of the
labels stays; what changes is how well a probability says how often it is right.

T fitted on the very rows it is judged on looks better than it is, so the error *after* is cross-fitted:
each half of the rows is scaled by the T of the other half.
"""

from dataclasses import dataclass
from math import exp, log

from scipy.optimize import minimize_scalar

from pipeline.metrics.calibration import calibration_error
from pipeline.metrics.thresholds import halves
from pipeline.problem.probabilities import Scores, Values, log_clipped
from pipeline.problem.problem import Problem

LEAST, MOST = 0.05, 20.0
"""Between these T is sought: rows without a mistake would else ask for no T at all."""


@dataclass(frozen=True)
class Calibration:
    """How well probabilities hold, as they are and scaled.

    Attributes:
        temperature: fitted on all rows; over 1 where the model is too sure, under 1 where it doubts.
        error_before: expected calibration error as the model says it.
        error_after: of scaled probabilities, cross-fitted.
        loss_before: mean negative log-likelihood of gold, nats.
        loss_after: of scaled probabilities, cross-fitted.
        rows: how many were judged.
    """

    temperature: float
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float
    rows: int


def calibrate(problem: Problem, *, gold: Values, scores: Scores, seed: int) -> Calibration | None:
    """Fit T and judge it on the rows it was not fitted on; None for numbers, which have no probability.

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
    return Calibration(
        temperature=fit_temperature(problem, gold=gold, scores=scores),
        error_before=before,
        error_after=after,
        loss_before=negative_log_likelihood(problem, gold, scores),
        loss_after=negative_log_likelihood(problem, gold, crossed),
        rows=len(gold),
    )


def fit_temperature(problem: Problem, *, gold: Values, scores: Scores) -> float:
    """The T between `LEAST` and `MOST` under which gold is likeliest.

    The loss is convex in 1/T, so the one valley there is can be found by shrinking an interval.
    """

    def loss(logarithm: float) -> float:
        return negative_log_likelihood(
            problem, gold, problem.with_temperature(scores, exp(logarithm))
        )

    found = minimize_scalar(loss, bounds=(log(LEAST), log(MOST)), method="bounded")
    return exp(float(found.x))


def negative_log_likelihood(problem: Problem, gold: Values, scores: Scores) -> float:
    """Mean over rows, or over the label decisions where several labels may hold; nats."""
    return float(-log_clipped(problem.gold_probabilities(gold, scores)).mean())
