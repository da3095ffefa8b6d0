"""One variant against the teacher, in the figure that the product speaks of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.sections import EvaluateParams
from pipeline.metrics.calibration import expected_calibration_error
from pipeline.metrics.classification import (
    correctness,
    macro_f1,
    predicted_labels,
    quality,
)
from pipeline.metrics.intervals import (
    Interval,
    bootstrap_interval,
    paired_difference,
    proportion_interval,
)
from pipeline.metrics.predictions import Answers
from pipeline.metrics.slices import slice_gaps


def quality_interval(
    answers: Answers, *, metric: str, options: EvaluateParams, seed: int
) -> Interval:
    """Accuracy with its Wilson interval, or macro F1 with its bootstrap interval."""
    if metric == "accuracy":
        correct = correctness(answers.label_ids, answers.probabilities)
        return proportion_interval(correct, confidence=options.confidence)
    predicted = predicted_labels(answers.probabilities)
    return bootstrap_interval(
        lambda rows: macro_f1(answers.label_ids[rows], predicted[rows]),
        len(predicted),
        confidence=options.confidence,
        resamples=options.resamples,
        seed=seed,
    )


def difference_interval(
    first: Answers, second: Answers, *, metric: str, options: EvaluateParams, seed: int
) -> Interval:
    """Quality of `first` minus that of `second` on the same rows, resampled in pairs."""
    gold = first.label_ids
    one, other = predicted_labels(first.probabilities), predicted_labels(second.probabilities)
    if metric == "accuracy":
        return paired_difference(
            one == gold,
            other == gold,
            confidence=options.confidence,
            resamples=options.resamples,
            seed=seed,
        )

    def difference(rows: NDArray[np.int64]) -> float:
        return macro_f1(gold[rows], one[rows]) - macro_f1(gold[rows], other[rows])

    return bootstrap_interval(
        difference,
        len(gold),
        confidence=options.confidence,
        resamples=options.resamples,
        seed=seed,
    )


def describe_variant(
    by_split: Mapping[str, Answers],
    teacher: Answers,
    masks: Mapping[str, NDArray[np.bool_]],
    *,
    metric: str,
    options: EvaluateParams,
    seed: int,
) -> dict[str, Any]:
    """Quality by split, and on validation: difference to the teacher, agreement, calibration, slices."""
    answers = by_split["validation"]
    difference = difference_interval(answers, teacher, metric=metric, options=options, seed=seed)
    same = predicted_labels(answers.probabilities) == predicted_labels(teacher.probabilities)
    return {
        "quality": {
            split: quality(entry.label_ids, entry.probabilities, options.confidence)
            for split, entry in by_split.items()
        },
        "difference_to_teacher": {
            "metric": metric,
            "value": difference.value,
            "interval": difference.as_list(),
        },
        "agreement": float(np.mean(same)),
        "calibration_error": expected_calibration_error(answers.label_ids, answers.probabilities),
        "slices": slice_gaps(
            correctness(answers.label_ids, answers.probabilities),
            dict(masks),
            confidence=options.confidence,
            resamples=options.resamples,
            seed=seed,
            min_rows=options.min_slice_rows,
        ),
    }
