"""One variant against the teacher, in the product's metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance.judge import Judge, Judged
from pipeline.core.artifacts import variant_reports
from pipeline.core.artifacts.variant_reports import BySplit, Quality, SwapReport, VariantReport
from pipeline.metrics.calibration import calibration_error
from pipeline.metrics.intervals import (
    Interval,
    bootstrap_interval,
    paired_difference,
    proportion_interval,
)
from pipeline.metrics.quality import agreement
from pipeline.metrics.slices import slice_gaps
from pipeline.problem.decision import Decision


@dataclass(frozen=True)
class ModelSize:
    """Bytes of the file with the weights, and number of parameters; None for a baseline."""

    bytes: int | None = None
    parameters: int | None = None


def quality_interval(judged: Judged, judge: Judge, metric: str | None = None) -> Interval:
    """A metric, the product's unless given: Wilson's interval for accuracy, else a bootstrap."""
    metric = metric or judge.metric
    if metric == "accuracy":
        return proportion_interval(judge.row_scores(judged), confidence=judge.options.confidence)
    return bootstrap_interval(judged.drawn(metric), len(judged.gold), **judge.draws)


def difference_interval(first: Judged, second: Judged, judge: Judge) -> Interval:
    """Quality of `first` minus that of `second` on the same rows, resampled in pairs."""
    if judge.metric == "accuracy":
        return paired_difference(judge.row_scores(first), judge.row_scores(second), **judge.draws)
    one, other = first.drawn(judge.metric), second.drawn(judge.metric)
    return bootstrap_interval(lambda rows: one(rows) - other(rows), len(first.gold), **judge.draws)


def quality_table(judged: Judged, judge: Judge) -> Quality:
    """Every figure of the problem, and intervals of the product's metric and of accuracy."""
    metrics = judge.problem.metrics
    known = {judge.metric, "accuracy"} & {*metrics}
    return Quality(
        figures={metric: judged.figure(metric) for metric in metrics},
        intervals={metric: quality_interval(judged, judge, metric).as_list() for metric in known},
    )


def describe_variant(
    name: str,
    by_split: Mapping[str, Judged],
    *,
    teacher: Judged,
    masks: Mapping[str, NDArray[np.bool_]],
    decision: Decision,
    size: ModelSize,
    judge: Judge,
    swaps: Sequence[SwapReport] = (),
) -> VariantReport:
    """Everything that evaluate reports of one variant.

    Args:
        by_split: its answers; all but quality and `answered` are given for validation alone.
        teacher: the teacher's answers on validation.
        masks: slice → which rows of validation belong to it.
        swaps: how its answers change where groups of people are exchanged.
    """
    found = by_split["validation"]
    difference = difference_interval(found, teacher, judge)
    answered = {split: judge.answered(judged) for split, judged in by_split.items()}
    quality = {split: quality_table(judged, judge) for split, judged in by_split.items()}
    return VariantReport(
        name=name,
        size_bytes=size.bytes,
        parameters=size.parameters,
        decision=variant_reports.DecisionReport(**decision.as_dict()),
        quality=BySplit[Quality](**quality),
        answered=BySplit[variant_reports.Answered](**answered) if judge.abstains else None,
        difference_to_teacher=variant_reports.Difference(
            metric=judge.metric, value=difference.value, interval=difference.as_list()
        ),
        agreement=agreement(judge.problem, found.answers, teacher.answers),
        calibration_error=calibration_error(judge.problem, found.gold, found.scores),
        slices=slice_gaps(
            judge.row_scores(found), masks, min_rows=judge.options.min_slice_rows, **judge.draws
        ),
        swaps=[*swaps],
    )
