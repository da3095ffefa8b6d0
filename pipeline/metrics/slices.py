"""Parts of the rows that a model may serve worse: short and long texts, negation, each label."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.classification import LabelIds
from pipeline.metrics.intervals import gap_interval

Mask = NDArray[np.bool_]

_SHORT_WORDS = 10
_LONG_WORDS = 28
_NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|nor|neither|without|hardly|barely|cannot)\b|n['’ ]t\b",
    re.IGNORECASE,
)


def slice_masks(
    texts: Sequence[str], label_ids: LabelIds, *, labels: Sequence[str]
) -> dict[str, Mask]:
    """Which rows belong to each slice, `(rows,)` each."""
    words = np.array([len(text.split()) for text in texts])
    masks = {
        f"at most {_SHORT_WORDS} words": words <= _SHORT_WORDS,
        f"at least {_LONG_WORDS} words": words >= _LONG_WORDS,
        "with negation": np.array([bool(_NEGATION.search(text)) for text in texts]),
    }
    return masks | {f"label {label}": label_ids == i for i, label in enumerate(labels)}


def slice_gaps(
    correct: NDArray[np.float64],
    masks: dict[str, Mask],
    *,
    confidence: float,
    resamples: int,
    seed: int,
    min_rows: int,
) -> list[dict[str, Any]]:
    """For each slice its rows, accuracy, and `gap`: accuracy of all rows minus its own, with interval.

    A slice of fewer than `min_rows` rows is listed with null figures: they would say nothing.
    """
    entries: list[dict[str, Any]] = []
    for name, mask in masks.items():
        entry: dict[str, Any] = {"name": name, "rows": int(mask.sum())}
        if entry["rows"] < min_rows:
            entries.append(entry | {"accuracy": None, "gap": None, "interval": None})
            continue
        gap = gap_interval(correct, mask, confidence=confidence, resamples=resamples, seed=seed)
        accuracy = float(correct[mask].mean())
        entries.append(entry | {"accuracy": accuracy, "gap": gap.value, "interval": gap.as_list()})
    return entries
