"""Quality of a classifier: accuracy, macro F1, and the table that every variant reports."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from pipeline.metrics.intervals import proportion_interval

LabelIds = NDArray[np.int64]
Probabilities = NDArray[np.float32] | NDArray[np.float64]


def accuracy(label_ids: LabelIds, predicted: LabelIds) -> float:
    """Share of rows, both `(rows,)`, whose predicted label is the gold one."""
    return float(accuracy_score(label_ids, predicted))


def macro_f1(label_ids: LabelIds, predicted: LabelIds) -> float:
    """Mean over the labels of the harmonic mean of precision and recall; 0 where both are 0."""
    return float(f1_score(label_ids, predicted, average="macro", zero_division=0.0))


def predicted_labels(probabilities: Probabilities) -> LabelIds:
    """The label with the highest probability of each row; the first of equals."""
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def correctness(label_ids: LabelIds, probabilities: Probabilities) -> NDArray[np.float64]:
    """1.0 where the most probable label is the gold one, else 0.0; `(rows,)`."""
    return np.asarray(predicted_labels(probabilities) == label_ids, dtype=np.float64)


def quality(label_ids: LabelIds, probabilities: Probabilities, confidence: float) -> dict[str, Any]:
    """`accuracy`, `accuracy_ci95` (its Wilson interval `[low, high]`) and `macro_f1`.

    The interval's name is the artifact contract's; its level is `confidence`.

    Args:
        label_ids: gold labels, `(rows,)`.
        probabilities: `(rows, labels)`.
        confidence: level of the interval, 0.95 by default in params.yaml.
    """
    interval = proportion_interval(correctness(label_ids, probabilities), confidence=confidence)
    return {
        "accuracy": interval.value,
        "accuracy_ci95": interval.as_list(),
        "macro_f1": macro_f1(label_ids, predicted_labels(probabilities)),
    }
