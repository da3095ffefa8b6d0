"""The three baselines on one set of splits: fit, choose, draw the learning curve, judge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.core.params import BaselineParams
from pipeline.core.progress import track
from pipeline.core.variants import MAJORITY, NAIVE_BAYES, TFIDF
from pipeline.models.linear import (
    Classifier,
    LabelIds,
    Majority,
    NaiveBayesRegression,
    TfidfRegression,
    accuracy,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one split, ordered by id."""

    ids: list[str]
    texts: list[str]
    label_ids: LabelIds


def split_rows(table: Mapping[str, Sequence[Any]]) -> dict[str, Rows]:
    """Prepare's table by split. Ids are hashes, so the first n rows are a fair sample."""
    splits: dict[str, Rows] = {}
    for name in ("train", "validation", "test"):
        rows = sorted(
            (table["id"][row], table["text"][row], table["label_id"][row])
            for row, split in enumerate(table["split"])
            if split == name
        )
        ids, texts, label_ids = zip(*rows, strict=True)
        splits[name] = Rows([*ids], [*texts], np.array(label_ids, dtype=np.int64))
    return splits


def fit_baselines(
    rows: Mapping[str, Rows], params: BaselineParams, *, labels: int
) -> tuple[dict[str, Classifier], dict[str, float]]:
    """The baselines by name, and the C that validation chose for each that has one."""
    train = rows["train"]

    def tfidf(value: float) -> Classifier:
        return TfidfRegression(
            train.texts, train.label_ids, max_ngram=params.max_ngram, regularisation=value
        )

    def naive_bayes(value: float) -> Classifier:
        return _naive_bayes(train, params, labels=labels, regularisation=value)

    fitted: dict[str, Classifier] = {MAJORITY: Majority(train.label_ids, labels=labels)}
    chosen = {}
    for name, fit in ((TFIDF, tfidf), (NAIVE_BAYES, naive_bayes)):
        fitted[name], chosen[name] = _best(name, fit, params.regularisation, rows["validation"])
    return fitted, chosen


def _naive_bayes(
    rows: Rows, params: BaselineParams, *, labels: int, regularisation: float
) -> Classifier:
    return NaiveBayesRegression(
        rows.texts,
        rows.label_ids,
        labels=labels,
        max_ngram=params.max_ngram,
        regularisation=regularisation,
    )


def _best(
    name: str, fit: Callable[[float], Classifier], values: Sequence[float], validation: Rows
) -> tuple[Classifier, float]:
    """The model with the best validation accuracy; of equal ones the most regularised."""
    found = []
    for value in track(sorted(values), f"baseline  {name}", len(values)):
        model = fit(value)
        score = accuracy(model.probabilities(validation.texts), validation.label_ids)
        found.append((score, value, model))
    score, value, model = max(found, key=lambda entry: entry[0])
    return model, value


def learning_curve(
    rows: Mapping[str, Rows], params: BaselineParams, *, labels: int, regularisation: float
) -> list[dict[str, float]]:
    """NB-LR on growing shares of the train rows: `step` is their number, each holds the last.

    A share so small that it lacks a label is left out.
    """
    train, validation = rows["train"], rows["validation"]
    points = []
    for share in sorted(set(params.learning_curve_shares)):
        count = round(share * len(train.ids))
        part = Rows(train.ids[:count], train.texts[:count], train.label_ids[:count])
        if len(np.unique(part.label_ids)) < labels:
            continue
        model = _naive_bayes(part, params, labels=labels, regularisation=regularisation)
        points.append(
            {
                "step": count,
                "train_accuracy": accuracy(model.probabilities(part.texts), part.label_ids),
                "validation_accuracy": accuracy(
                    model.probabilities(validation.texts), validation.label_ids
                ),
            }
        )
    return points


def verdict(
    quality: Mapping[str, Mapping[str, float]],
    curve: Sequence[Mapping[str, float]],
    *,
    min_gain: float,
) -> dict[str, Any]:
    """Is this worth a model? Decided on validation.

    Raises:
        DataError: no baseline beats the majority by `min_gain`: nothing to learn is in these data.
    """
    scores = {name: figures["validation"] for name, figures in quality.items()}
    best = max((TFIDF, NAIVE_BAYES), key=lambda name: scores[name])
    gain = scores[best] - scores[MAJORITY]
    if gain < min_gain:
        raise DataError(
            f"the best baseline ({best}) is {gain:+.3f} accuracy from the majority class "
            f"({scores[best]:.3f} against {scores[MAJORITY]:.3f}, on validation)",
            expected=f"a gain of at least {min_gain} (baseline.min_gain)",
            next_step="look whether labels fit the texts (artifacts/validate/data_card.md), "
            "collect more rows, or lower the limit if you know that words alone cannot tell",
        )
    return {
        "worth_a_model": True,
        "best": best,
        "gain_over_majority": gain,
        "reason": f"Words alone reach {scores[best]:.1%} on validation, {100 * gain:.1f} points "
        f"above the majority class: the labels can be learned from these texts. {_slope(curve)}",
    }


def _slope(curve: Sequence[Mapping[str, float]]) -> str:
    if len(curve) < 2:
        return "There are too few rows to draw a learning curve."
    before, last = curve[-2], curve[-1]
    gained = 100 * (last["validation_accuracy"] - before["validation_accuracy"])
    return (
        f"From {before['step']:,} to {last['step']:,} train rows the accuracy moved "
        f"{gained:+.1f} points, so more rows {'would' if gained > 0.5 else 'may not'} help."
    )
