"""Arrays of scores and answers, and probabilities from a model's raw outputs."""

from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

Targets = NDArray[np.float64]
"""Gold as tables and training hold it, `(rows, width)`."""
Scores = NDArray[np.float64]
"""Probabilities of the labels, or the number, `(rows, outputs)`."""
Values = NDArray[Any]
"""Answers or gold: label numbers `(rows,)`, 0 or 1 for each label `(rows, labels)`, or numbers."""
Mask = NDArray[np.bool_]
_FEW = 32
"""Outputs of a row up to which Python's arithmetic is the faster one."""


def softmax(logits: NDArray[np.floating]) -> Scores:
    """Probabilities over the last axis, in float64 so that they sum to 1 within 1e-15.

    Two other places keep arithmetic of their own, because this one would change their last bits:
    the language model's (`pipeline.runtime.costs`) goes through logarithms of float32 outputs, and
    `Classification.teacher_confidence` stays in float32.
    """
    if logits.ndim == 1 and len(logits) <= _FEW:
        return np.array(_softmax_of_few(logits.tolist()))
    wide = logits.astype(np.float64)
    exponent = np.exp(wide - wide.max(axis=-1, keepdims=True))
    result: Scores = exponent / exponent.sum(axis=-1, keepdims=True)
    return result


def _softmax_of_few(logits: list[float]) -> list[float]:
    """The probabilities of one row. After a run of a model, numpy's machinery for it takes 30 µs, this 5."""
    largest, total, exponents = max(logits), 0.0, []
    for value in logits:
        exponents.append(exponent := exp(value - largest))
        total += exponent
    return [exponent / total for exponent in exponents]


def sigmoid(logits: NDArray[np.floating]) -> Scores:
    """1 / (1 + exp(−x)), without overflow on either side."""
    wide = logits.astype(np.float64)
    small = np.exp(-np.abs(wide))  # never over 1
    result: Scores = np.where(wide >= 0, 1.0, small) / (1.0 + small)
    return result


def log_clipped(values: Scores) -> Scores:
    """Natural logarithms; 0 is taken as 1e-300."""
    return np.log(np.maximum(values, 1e-300))
