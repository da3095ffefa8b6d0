"""Metrics of drawn rows, for a bootstrap: computed from counts, ten to a hundred times as fast.

A bootstrap asks for a metric of the same answers two thousand times. F1 and Matthews need only
counts, and average precision needs the rows sorted once. Tests compare all of them with
scikit-learn's.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.quality import figure_of
from pipeline.problem.probabilities import Scores, Values

Rows = NDArray[np.int64]
Figure = Callable[[Rows], float]


def drawn_figure(metric: str, *, gold: Values, answers: Values, scores: Scores) -> Figure:
    """Returns the metric as a function of row numbers, `(drawn,)`, which may repeat."""
    if metric == "average_precision":
        return _average_precision(gold, scores)
    if metric in ("macro_f1", "micro_f1") and gold.ndim > 1:
        return _label_f1(gold, answers, micro=metric == "micro_f1")
    if metric in ("macro_f1", "matthews"):
        figure = _macro_f1 if metric == "macro_f1" else _matthews
        return _of_confusion(gold, answers, figure)
    return lambda rows: figure_of(
        metric, gold=gold[rows], answers=answers[rows], scores=scores[rows]
    )


def _of_confusion(gold: Values, answers: Values, figure: Callable[[Values], float]) -> Figure:
    labels = int(max(gold.max(), answers.max())) + 1
    # A label that the product no longer has is numbered −1: one more, which gold never has.
    cells = gold * (labels + 1) + np.where(answers < 0, labels, answers)
    size = (labels + 1, labels + 1)
    return lambda rows: figure(np.bincount(cells[rows], minlength=size[0] ** 2).reshape(size))


def _macro_f1(confusion: Values) -> float:
    """Mean over the labels that are the gold label or the answer of any row."""
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    present = both > 0
    return float(np.mean(2 * np.diag(confusion)[present] / both[present]))


def _matthews(confusion: Values) -> float:
    """The correlation of labels; 0 where either side never varies (Gorodkin 2004, equation 8)."""
    counts = confusion.astype(np.float64)
    given, held, rows = counts.sum(axis=0), counts.sum(axis=1), counts.sum()
    spread = (rows**2 - given @ given) * (rows**2 - held @ held)
    return 0.0 if spread == 0 else float((np.trace(counts) * rows - given @ held) / np.sqrt(spread))


def _label_f1(gold: Values, answers: Values, *, micro: bool) -> Figure:
    right, both = (gold & answers).astype(np.int64), gold.astype(np.int64) + answers

    def figure(rows: Rows) -> float:
        twice, total = 2 * right[rows].sum(axis=0), both[rows].sum(axis=0)
        if micro:
            twice, total = twice.sum(), total.sum()
        return float(np.mean(twice / np.maximum(total, 1)))

    return figure


def _average_precision(gold: Values, scores: Scores) -> Figure:
    order = np.argsort(-scores, axis=0, kind="stable")
    held = np.take_along_axis(gold, order, axis=0)
    falls = np.diff(np.take_along_axis(scores, order, axis=0), axis=0) != 0
    # Rows of equal score are above a threshold together: only the last of them is one.
    lasts = np.concatenate([falls, np.ones((1, gold.shape[1]), dtype=np.bool_)])

    def figure(rows: Rows) -> float:
        weights = np.bincount(rows, minlength=len(gold))[order]
        found, given = np.cumsum(weights * held, axis=0), np.cumsum(weights, axis=0)
        areas = [
            _area(found[lasts[:, label], label], given[lasts[:, label], label])
            for label in np.flatnonzero(found[-1])
        ]
        return float(np.mean(areas)) if areas else 0.0

    return figure


def _area(found: Values, given: Values) -> float:
    """Precision at each threshold, weighted by the recall it adds."""
    recall = np.diff(found, prepend=0) / found[-1]
    return float(np.sum(recall * found / np.maximum(given, 1)))
