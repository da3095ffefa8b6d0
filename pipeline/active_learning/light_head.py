"""A linear model over frozen embeddings: learns from some dozen labels in milliseconds."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.linear import LINEAR_MODELS
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem

REGULARISATION = 10.0
"""C of logistic regression on embeddings of length 1."""
LEAST_LABELS = 20
"""Labels from which the model is asked; before, it would choose by noise."""
_HASH = 12


@dataclass(frozen=True)
class LightHead:
    """A fitted model.

    Attributes:
        name: `head-` and a hash of what it learned from.
        answer: from embeddings `(rows, width)` to probabilities `(rows, labels)`.
    """

    name: str
    answer: Callable[[NDArray[np.float32]], Scores]


def light_head(
    vectors: NDArray[np.float32], targets: Targets, *, problem: Problem, labels: int
) -> LightHead | None:
    """Fits a model; None where it has too few labels, or all are the same.

    Args:
        vectors: of the labelled rows, `(rows, width)`.
        targets: as the problem has them, `(rows, width)`.
        labels: how many the product has.
    """
    if len(targets) < LEAST_LABELS or (targets == targets[0]).all():
        return None
    digest = hashlib.sha256(vectors.tobytes() + targets.tobytes()).hexdigest()[:_HASH]
    fit = LINEAR_MODELS[problem.name].tfidf
    if problem.many_labels:
        return LightHead(f"head-{digest}", fit(vectors, targets, labels, REGULARISATION))
    # The model knows the labels that occur; the others have no probability yet.
    occurring, numbers = np.unique(targets[:, 0].astype(np.int64), return_inverse=True)
    known = fit(vectors, numbers[:, None].astype(np.float64), len(occurring), REGULARISATION)

    def answer(rows: NDArray[np.float32]) -> Scores:
        found = np.zeros((len(rows), labels), dtype=np.float64)
        found[:, occurring] = known(rows)
        return found

    return LightHead(f"head-{digest}", answer)
