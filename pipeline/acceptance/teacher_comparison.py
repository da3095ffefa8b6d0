"""One variant against the teacher, in the figure that the product speaks of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance.judge import Judge, Judged
from pipeline.core.product import CLASSIFICATION
from pipeline.metrics.calibration import calibration_error
from pipeline.metrics.intervals import (
    Interval,
    bootstrap_interval,
    paired_difference,
    proportion_interval,
)
from pipeline.metrics.quality import agreement
from pipeline.metrics.slices import slice_gaps


def quality_interval(judged: Judged, judge: Judge, metric: str | None = None) -> Interval:
    """A figure (the product's unless named): accuracy with its Wilson interval, others bootstrapped."""
    metric = metric or judge.metric
    if metric == "accuracy":
        return proportion_interval(judge.row_scores(judged), confidence=judge.options.confidence)
    return bootstrap_interval(
        judged.drawn(metric),
        len(judged.gold),
        confidence=judge.options.confidence,
        resamples=judge.options.resamples,
        seed=judge.seed,
    )


def difference_interval(first: Judged, second: Judged, judge: Judge) -> Interval:
    """Quality of `first` minus that of `second` on the same rows, resampled in pairs."""
    drawing: dict[str, Any] = {
        "confidence": judge.options.confidence,
        "resamples": judge.options.resamples,
        "seed": judge.seed,
    }
    if judge.metric == "accuracy":
        return paired_difference(judge.row_scores(first), judge.row_scores(second), **drawing)

    one, other = first.drawn(judge.metric), second.drawn(judge.metric)
    return bootstrap_interval(lambda rows: one(rows) - other(rows), len(first.gold), **drawing)


def quality_table(judged: Judged, judge: Judge) -> dict[str, Any]:
    """Every figure of the problem, and `<figure>_ci95`, `[low, high]`, of the product's figure.

    Classification always has the interval of its accuracy. The intervals' name is the artifact
    contract's; their level is `evaluate.confidence`.
    """
    table: dict[str, Any] = {metric: judged.figure(metric) for metric in judge.metrics}
    known = {judge.metric, "accuracy"} if judge.problem == CLASSIFICATION else {judge.metric}
    for metric in known:
        table[f"{metric}_ci95"] = quality_interval(judged, judge, metric).as_list()
    return table


def describe_variant(
    by_split: Mapping[str, Judged],
    teacher: Judged,
    masks: Mapping[str, NDArray[np.bool_]],
    judge: Judge,
) -> dict[str, Any]:
    """Quality by split, and on validation: difference to the teacher, agreement, calibration, slices."""
    found = by_split["validation"]
    difference = difference_interval(found, teacher, judge)
    return {
        "quality": {split: quality_table(judged, judge) for split, judged in by_split.items()},
        "answered": (
            {split: judge.answered(judged) for split, judged in by_split.items()}
            if judge.abstains
            else None
        ),
        "difference_to_teacher": {
            "metric": judge.metric,
            "value": difference.value,
            "interval": difference.as_list(),
        },
        "agreement": agreement(judge.problem, found.answers, teacher.answers),
        "calibration_error": calibration_error(judge.problem, found.gold, found.scores),
        "slices": slice_gaps(
            judge.row_scores(found),
            dict(masks),
            confidence=judge.options.confidence,
            resamples=judge.options.resamples,
            seed=judge.seed,
            min_rows=judge.options.min_slice_rows,
        ),
    }
