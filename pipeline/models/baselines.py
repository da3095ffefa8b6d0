"""Fits the three baselines and judges from them whether a model is worth its cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core.artifacts.data_reports import BaselineQuality, BaselineVerdict
from pipeline.core.errors import DataError
from pipeline.core.progress import track
from pipeline.core.sections import BaselineParams
from pipeline.core.variants import MAJORITY, NAIVE_BAYES, TFIDF
from pipeline.models.linear import (
    Baseline,
    Inputs,
    LinearTask,
    majority,
    naive_bayes_regression,
    tfidf_regression,
)
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem

Quality = Callable[[Targets, Scores], float]
"""Targets and scores → the product's metric."""


@dataclass(frozen=True, slots=True)
class BaselineRows:
    """The texts or pairs of one split, ordered by id, with their targets, `(rows, width)`."""

    ids: list[str]
    inputs: Inputs
    targets: Targets


@dataclass(frozen=True, kw_only=True)
class LearningPoint:
    """A point of the learning curve; `step` is how many train rows the baseline has seen."""

    step: int
    train_quality: float
    validation_quality: float


def split_rows(table: Mapping[str, Sequence[Any]], *, pairs: bool) -> dict[str, BaselineRows]:
    """Split → its rows, by id. Ids are hashes, so the first n rows are a fair sample."""
    splits: dict[str, BaselineRows] = {}
    columns = zip(table["id"], table["text"], table["second"], table["target"], strict=True)
    rows = sorted(zip(columns, table["split"], strict=True), key=lambda row: row[0][0])
    for name in ("train", "validation", "test"):
        ids, texts, seconds, targets = zip(
            *(row for row, split in rows if split == name), strict=True
        )
        inputs: Any = [*zip(texts, seconds, strict=True)] if pairs else [*texts]
        splits[name] = BaselineRows([*ids], inputs, np.array(targets, dtype=np.float64))
    return splits


def fit_baselines(
    rows: Mapping[str, BaselineRows], params: BaselineParams, *, task: LinearTask, quality: Quality
) -> tuple[dict[str, Baseline], dict[str, float]]:
    """Name → fitted baseline, and name → the C that is best on validation."""
    train = rows["train"]
    fitted = {MAJORITY: majority(train.targets, task)}
    chosen = {}
    for name, fit in ((TFIDF, tfidf_regression), (NAIVE_BAYES, naive_bayes_regression)):
        found = []
        values = sorted(params.regularisation)
        for value in track(values, f"baseline  {name}", len(values)):
            model = fit(train.inputs, train.targets, task, regularisation=value)
            found.append((_quality_of(model, rows["validation"], quality), value, model))
        # Values ascend and max keeps the first, so equals give the most regularised.
        _, chosen[name], fitted[name] = max(found, key=lambda entry: entry[0])
    return fitted, chosen


def _quality_of(model: Baseline, rows: BaselineRows, quality: Quality) -> float:
    return quality(rows.targets, model.scores(rows.inputs))


def learning_curve(
    rows: Mapping[str, BaselineRows],
    params: BaselineParams,
    *,
    task: LinearTask,
    regularisation: float,
    quality: Quality,
) -> list[LearningPoint]:
    """The learning curve of NB-LR: its quality after growing shares of the train rows.

    A share so small that it lacks a label is left out.
    """
    train, points = rows["train"], []
    for share in sorted(set(params.learning_curve_shares)):
        count = round(share * len(train.ids))
        part = BaselineRows(train.ids[:count], train.inputs[:count], train.targets[:count])
        if not task.problem.can_learn(part.targets, labels=task.labels):
            continue
        model = naive_bayes_regression(
            part.inputs, part.targets, task, regularisation=regularisation
        )
        points.append(
            LearningPoint(
                step=len(part.ids),
                train_quality=_quality_of(model, part, quality),
                validation_quality=_quality_of(model, rows["validation"], quality),
            )
        )
    return points


def verdict(
    quality: Mapping[str, BaselineQuality],
    curve: Sequence[LearningPoint],
    *,
    regularisation: Mapping[str, float],
    min_gain: float,
    problem: Problem,
    metric: str,
) -> BaselineVerdict:
    """Whether a model is worth its cost, decided on validation by the product's metric.

    Args:
        regularisation: the C of each baseline that has one.

    Raises:
        DataError: no baseline beats the majority by `min_gain`: there is nothing to learn from these data.
    """
    scores = {name: figures.validation for name, figures in quality.items()}
    best = max((TFIDF, NAIVE_BAYES), key=lambda name: scores[name])
    gain, constant = scores[best] - scores[MAJORITY], problem.words.constant_answer
    if gain < min_gain:
        raise DataError(
            f"the best baseline ({best}) is {gain:+.3f} {metric} from {constant} "
            f"({scores[best]:.3f} against {scores[MAJORITY]:.3f}, on validation)",
            expected=f"a gain of at least {min_gain} (baseline.min_gain)",
            next_step="look whether labels fit the texts (artifacts/validate/data_card.md), "
            "collect more rows, or lower the limit if you know that words alone cannot tell",
        )
    return BaselineVerdict(
        worth_a_model=True,
        best=best,
        quality_metric=metric,
        gain_over_majority=gain,
        reason=f"Words alone reach {metric} {scores[best]:.3f} on validation, {gain:.3f} above "
        f"{constant}: the labels can be learned from these texts. {_slope(curve, metric)}",
        quality=dict(quality),
        regularisation=dict(regularisation),
    )


def _slope(curve: Sequence[LearningPoint], metric: str) -> str:
    if len(curve) < 2:
        return "There are too few rows to draw a learning curve."
    before, last = curve[-2], curve[-1]
    gained = last.validation_quality - before.validation_quality
    return (
        f"From {before.step:,} to {last.step:,} train rows the {metric} moved "
        f"{gained:+.3f}, so more rows {'would' if gained > 0.005 else 'may not'} help."
    )
