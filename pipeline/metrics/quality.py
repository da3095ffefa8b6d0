"""How good answers are, in the figures that a product can be judged by.

What the answers are follows from the scores and the decision (pipeline/core/decision.py). An answer
is *right* when its label is the gold one, or when its labels are exactly the gold ones.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics

from pipeline.core.decision import Decision
from pipeline.core.product import CLASSIFICATION, MULTI_LABEL, REGRESSION

Targets = NDArray[np.float64]
Scores = NDArray[np.float64]
Values = NDArray[Any]
"""Answers or gold: label numbers `(rows,)`, which labels hold `(rows, labels)`, or numbers `(rows,)`."""

_ROUNDING = 1e-9
_PRECISION = 0.01


def gold_of(problem: str, targets: Targets) -> Values:
    """Targets `(rows, width)` in the form that `Decision.answers` has."""
    if problem == MULTI_LABEL:
        return targets > 0
    return targets[:, 0].astype(np.int64) if problem == CLASSIFICATION else targets[:, 0]


def quality_figure(
    metric: str,
    *,
    problem: str,
    targets: Targets,
    scores: Scores,
    decision: Decision | None = None,
) -> float:
    """One figure of these answers.

    Args:
        metric: a name in `QUALITY_METRICS[problem]`.
        targets: `(rows, width)`.
        scores: `(rows, outputs)`.
        decision: how scores become answers; None for the usual rule.
    """
    answers = (decision or Decision()).answers(problem, scores)
    return figure_of(metric, gold=gold_of(problem, targets), answers=answers, scores=scores)


def figure_of(metric: str, *, gold: Values, answers: Values, scores: Scores) -> float:
    """The same of answers already decided; rows of all three may be drawn again and again."""
    if metric == "average_precision":
        return average_precision(gold, scores)
    return QUALITY[metric](gold, answers)


def average_precision(gold: Values, scores: Scores) -> float:
    """Mean over the labels that any row has of the area below precision against recall."""
    present = gold.any(axis=0)
    if not present.any():
        return 0.0
    return float(
        metrics.average_precision_score(gold[:, present], scores[:, present], average="macro")
    )


def right_answers(problem: str, gold: Values, answers: Values) -> NDArray[np.float64]:
    """1.0 where the answer is right, else 0.0, `(rows,)`."""
    same = gold == answers
    return np.asarray(same.all(axis=1) if problem == MULTI_LABEL else same, dtype=np.float64)


def row_scores(problem: str, gold: Values, answers: Values) -> NDArray[np.float64]:
    """How well each row is answered, `(rows,)`, 1 at best: right or not; for numbers, closeness.

    Closeness is 1 − |found − gold| / d, where d is the mean distance of gold from its median: over all
    rows it averages 0 for whoever always says the median, and 1 for whoever is always right.
    """
    if problem != REGRESSION:
        return right_answers(problem, gold, answers)
    distance = float(np.mean(np.abs(gold - np.median(gold)))) or 1.0
    return np.asarray(1 - np.abs(answers - gold) / distance, dtype=np.float64)


ROW_SCORES = MappingProxyType(
    {
        CLASSIFICATION: "accuracy",
        MULTI_LABEL: "share of rows with all labels right",
        REGRESSION: "closeness",
    }
)
"""What the mean of `row_scores` is called."""


def unit_of(problem: str, targets: Targets) -> float:
    """What a tolerance of scores is a share of: 1 of probabilities, the spread of gold of numbers.

    Never less than float32 can tell apart at the size of the numbers, a hundred times over and more.
    """
    if problem != REGRESSION:
        return 1.0
    return max(float(np.std(targets)), _PRECISION * float(np.abs(targets).max())) or 1.0


def agreement(problem: str, first: Values, second: Values) -> float:
    """How alike two models answer: share of equal labels or label decisions; for numbers, Spearman."""
    if problem == REGRESSION:
        return spearman(first, second)
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
"""Figure of gold and answers; `average_precision` is apart, for it reads scores."""
