"""Scores of rows by models that have not learned from them, and several models' scores in one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem

Rows = NDArray[np.int64]
Learn = Callable[[Rows, Rows], Scores]
"""Learns from the first rows, which are numbers of rows, and gives scores of the second."""

_LEAST = 1e-9


def folds_of(clusters: Sequence[str], *, count: int, seed: int) -> Rows:
    """The fold of each row, drawn so that rows of one cluster are in one fold, `(rows,)`."""
    names, which = np.unique(np.asarray(clusters), return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % count
    return np.asarray(dealt[which], dtype=np.int64)


def cross_fitted(learn: Learn, folds: Rows) -> Scores:
    """Scores of every row, each by a model of the rows of all other folds, `(rows, outputs)`."""
    numbers, parts = np.arange(len(folds)), []
    for fold in np.unique(folds):
        asked = numbers[folds == fold]
        parts.append((asked, learn(numbers[folds != fold], asked)))
    order = np.concatenate([asked for asked, _ in parts])
    found = np.concatenate([scores for _, scores in parts])
    return np.asarray(found[np.argsort(order)], dtype=np.float64)


def pooled(scores: Sequence[Scores], targets: Targets, problem: Problem) -> Scores:
    """Probabilities of labels from several models' probabilities, `(rows, labels)`.

    A logarithmic opinion pool: the models' log-odds are added, each with a weight of 0 or more, and the
    weights are those with which the given labels are likeliest. A model that says nothing gets none.

    Args:
        scores: one table of probabilities a model, of rows that it has not learned from.
        problem: one that has probabilities.
    """
    logits = np.stack([_logits(table, many=problem.many_labels) for table in scores])
    gold = problem.gold(targets)

    def loss(weights: NDArray[np.float64]) -> float:
        found = problem.scores(np.tensordot(weights, logits, axes=1))
        likely = problem.gold_probabilities(gold, found)
        return float(-np.log(np.maximum(likely, _LEAST)).mean())

    start = np.full(len(logits), 1 / len(logits))
    best = minimize(loss, start, method="L-BFGS-B", bounds=[(0, None)] * len(logits)).x
    return problem.scores(np.tensordot(best, logits, axes=1))


def _logits(scores: Scores, *, many: bool) -> Scores:
    """The outputs that give these probabilities: of each label alone, or of labels that exclude each other."""
    clipped = np.clip(scores, _LEAST, 1 - _LEAST)
    return np.log(clipped) - np.log1p(-clipped) if many else np.log(clipped)
