"""From a model's raw outputs to scores that mean something: probabilities, or the number itself."""

import numpy as np
import numpy.typing as npt

from pipeline.core.decision import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.core.errors import ArtifactError

Scores = npt.NDArray[np.float64]


def scores_of(problem: str, logits: npt.NDArray[np.floating]) -> Scores:
    """Scores of the shape of `logits`, `(…, outputs)`, in float64.

    classification: probabilities that sum to 1; multi_label: a probability a label; regression: the
    number.

    Raises:
        ArtifactError: no such problem.
    """
    if problem == CLASSIFICATION:
        return softmax(logits)
    if problem == MULTI_LABEL:
        return sigmoid(logits)
    if problem == REGRESSION:
        return logits.astype(np.float64)
    raise ArtifactError(
        f"a model for the problem {problem!r}",
        expected="classification, multi_label or regression",
        next_step="serve it with the version of the code that built it",
    )


def softmax(logits: npt.NDArray[np.floating]) -> Scores:
    """Probabilities over the last axis, in float64 so that they sum to 1 within 1e-15."""
    wide = logits.astype(np.float64)
    exponent = np.exp(wide - wide.max(axis=-1, keepdims=True))
    result: Scores = exponent / exponent.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: npt.NDArray[np.floating]) -> Scores:
    """1 / (1 + exp(−x)), without overflow on either side."""
    wide = logits.astype(np.float64)
    small = np.exp(-np.abs(wide))  # never over 1
    result: Scores = np.where(wide >= 0, 1.0, small) / (1.0 + small)
    return result
