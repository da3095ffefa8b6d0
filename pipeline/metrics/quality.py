"""The metrics that a product can be judged by, through scikit-learn and SciPy."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import stats
from sklearn import metrics

from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores, Targets, Values
from pipeline.problem.problem import Problem

_ROUNDING = 1e-9


def quality_figure(
    metric: str,
    *,
    problem: Problem,
    targets: Targets,
    scores: Scores,
    decision: Decision | None = None,
) -> float:
    """A metric of scores `(rows, outputs)` against targets `(rows, width)`.

    Args:
        decision: how scores become answers; None for the usual rule.
    """
    answers = problem.answers(scores, decision or Decision())
    return figure_of(metric, gold=problem.gold(targets), answers=answers, scores=scores)


def figure_of(metric: str, *, gold: Values, answers: Values, scores: Scores) -> float:
    """A metric of answers that are already decided."""
    if metric == "average_precision":
        return average_precision(gold, scores)
    return QUALITY[metric](gold, answers)


def average_precision(gold: Values, scores: Scores) -> float:
    """The area under precision against recall, averaged over the labels that any row has."""
    present = gold.any(axis=0)
    if not present.any():
        return 0.0
    return float(
        metrics.average_precision_score(gold[:, present], scores[:, present], average="macro")
    )


def agreement(problem: Problem, first: Values, second: Values) -> float:
    """How alike two models answer: the problem's own metric, or the share of equal decisions."""
    if problem.agreement_metric is not None:
        return QUALITY[problem.agreement_metric](first, second)
    return float(np.mean(first == second))


def _correlation(measure: Any) -> Callable[[Values, Values], float]:
    def correlate(gold: Values, found: Values) -> float:
        if _is_constant(gold) or _is_constant(found):
            return 0.0  # nothing varies, so nothing varies together
        return float(measure(gold, found).statistic)

    return correlate


def _is_constant(values: Values) -> bool:
    # Rounding alone may tell equal numbers apart.
    return float(np.ptp(values)) <= _ROUNDING * float(np.abs(values).max())


def _f1(average: str) -> Callable[[Values, Values], float]:
    return lambda gold, found: float(
        metrics.f1_score(gold, found, average=average, zero_division=0.0)
    )


pearson, spearman = _correlation(stats.pearsonr), _correlation(stats.spearmanr)

QUALITY: Mapping[str, Callable[[Values, Values], float]] = MappingProxyType(
    {
        "accuracy": lambda gold, found: float(metrics.accuracy_score(gold, found)),
        "macro_f1": _f1("macro"),
        "micro_f1": _f1("micro"),
        "matthews": lambda gold, found: float(metrics.matthews_corrcoef(gold, found)),
        "pearson": pearson,
        "spearman": spearman,
    }
)
"""Metric → its function of gold and answers; `average_precision` needs scores instead."""
