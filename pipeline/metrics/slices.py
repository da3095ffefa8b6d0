"""Parts of the rows that a model may serve worse: short and long texts, negation, each label."""

import re
from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.variant_reports import SliceReport
from pipeline.metrics.intervals import Draws, gap_interval
from pipeline.problem.probabilities import Mask, Values
from pipeline.problem.problem import Problem

_SHORT_WORDS = 10
_LONG_WORDS = 28
_NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|nor|neither|without|hardly|barely|cannot)\b|n['’ ]t\b",
    re.IGNORECASE,
)


def slice_masks(
    texts: Sequence[str], gold: Values, *, problem: Problem, labels: Sequence[str]
) -> dict[str, Mask]:
    """Slice → which rows belong to it, `(rows,)`: by length, by negation and by label.

    Args:
        texts: of a pair, both texts in one.
        gold: see `Values`.
    """
    words = np.array([len(text.split()) for text in texts])
    masks: dict[str, Mask] = {
        f"at most {_SHORT_WORDS} words": words <= _SHORT_WORDS,
        f"at least {_LONG_WORDS} words": words >= _LONG_WORDS,
        "with negation": np.array([bool(_NEGATION.search(text)) for text in texts]),
    }
    return masks | problem.slices(gold, labels)


def slice_gaps(
    scores: NDArray[np.float64], masks: Mapping[str, Mask], *, min_rows: int, **draws: Unpack[Draws]
) -> list[SliceReport]:
    """Each slice with its rows, its mean score and its gap to all rows.

    A slice of fewer than `min_rows` rows is listed with null figures: they would say nothing.

    Args:
        scores: how well each row is answered, `(rows,)`.
    """
    reports = []
    for name, mask in masks.items():
        rows = int(mask.sum())
        if rows < min_rows:
            reports.append(SliceReport(name=name, rows=rows, score=None, gap=None, interval=None))
            continue
        gap = gap_interval(scores, mask, **draws)
        score = float(scores[mask].mean())
        reports.append(
            SliceReport(name=name, rows=rows, score=score, gap=gap.value, interval=gap.as_list())
        )
    return reports
