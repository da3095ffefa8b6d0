"""Fits a decision on validation: the thresholds, and how sure an answer must be.

Thresholds are searched one label at a time: its odds are multiplied by each of a few factors, and
the change that raises the metric most is kept. With few rows a finer search would only fit noise.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.quality import figure_of
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores, Values
from pipeline.problem.problem import Problem, Thresholds

_SWEEPS = 3
_FACTORS = (0.25, 0.5, 0.67, 0.8, 0.9, 1.1, 1.25, 1.5, 2.0, 4.0)
_MIN_GAIN = 1e-9

NEVER_SURE = 2.0
"""Above every confidence: on these rows no answers were right often enough."""


def fit_thresholds(problem: Problem, metric: str, *, gold: Values, scores: Scores) -> Decision:
    """Returns the decision with the best metric found.

    Average precision does not depend on thresholds, so they are then fitted for micro F1.
    """
    if metric == "average_precision":
        metric = "micro_f1"

    def figure(thresholds: Thresholds) -> float:
        answers = problem.answers(scores, Decision(thresholds))
        return figure_of(metric, gold=gold, answers=answers, scores=scores)

    best = problem.even_thresholds(scores.shape[1])
    highest = figure(best)
    for _ in range(_SWEEPS):
        before = best
        for label in range(len(best)):
            # All start from the same thresholds, so that every factor is tried on the same odds.
            for tried in [problem.move_threshold(best, label, factor) for factor in _FACTORS]:
                if (found := figure(tried)) > highest + _MIN_GAIN:
                    best, highest = tried, found
        if best == before:
            break
    return Decision(best)


def fit_abstention(
    problem: Problem, decision: Decision, *, gold: Values, scores: Scores, least_right: float
) -> Decision:
    """Returns the decision that answers most rows with at least `least_right` right answers."""
    confidence = problem.confidence(scores, decision)
    right = problem.right(gold, problem.answers(scores, decision))
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Equal confidences are answered together or not at all.
    lasts = np.append(np.diff(confidence[order]) != 0, True)
    enough = np.flatnonzero(lasts & (shares >= least_right))
    if not len(enough):
        return replace(decision, abstain_below=NEVER_SURE)
    if enough[-1] == len(order) - 1:
        return decision
    return replace(decision, abstain_below=float(confidence[order][enough[-1]]))


def halves(rows: int, seed: int) -> NDArray[np.bool_]:
    """A random half of the rows, `(rows,)`; the same for every model."""
    first = np.zeros(rows, dtype=np.bool_)
    first[np.random.default_rng(seed).permutation(rows)[: rows // 2]] = True
    return first
