"""Fits the baselines, and measures how their quality grows with the rows that they learn from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import track
from pipeline.core.sections import BaselineParams
from pipeline.core.variants import MAJORITY
from pipeline.models.linear import KINDS, Baseline, Counted, Inputs, LinearTask, majority
from pipeline.problem.probabilities import Scores, Targets

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
    train, validation = rows["train"], rows["validation"]
    fitted = {MAJORITY: majority(train.targets, task)}
    chosen = {}
    for name in KINDS:
        counted, found = Counted.of(name, train.inputs, task), []
        asked = counted.count(validation.inputs)
        values = sorted(params.regularisation)
        for value in track(values, f"baseline  {name}", len(values)):
            model = counted.fit(train.targets, task, regularisation=value)
            found.append((quality(validation.targets, model.answer(asked)), value, model))
        # Values ascend and max keeps the first, so equals give the most regularised.
        _, chosen[name], fitted[name] = max(found, key=lambda entry: entry[0])
    return fitted, chosen


def strongest(quality: Mapping[str, float]) -> str:
    """The best of the baselines that read texts, of name → quality; of equals the first."""
    return max(filter(quality.__contains__, KINDS), key=quality.__getitem__)


@dataclass(frozen=True)
class Learner:
    """A baseline that can learn from some of the rows: its name, its C, and how it is judged."""

    name: str
    task: LinearTask
    regularisation: float
    quality: Quality

    def learned(
        self, rows: Mapping[str, BaselineRows], parts: Sequence[NDArray[np.int64]]
    ) -> Iterator[LearningPoint]:
        """The baseline's quality after learning from each part, which are numbers of train rows.

        A part without every label is left out. The n-grams are counted once.
        """
        train, validation = rows["train"], rows["validation"]
        counted = Counted.of(self.name, train.inputs, self.task)
        asked = counted.count(validation.inputs)
        for chosen in parts:
            part, targets = counted.rows(chosen), train.targets[chosen]
            if not self.task.problem.can_learn(targets, labels=self.task.labels):
                continue
            model = part.fit(targets, self.task, regularisation=self.regularisation)
            yield LearningPoint(
                step=len(chosen),
                train_quality=self.quality(targets, model.answer(part.table)),
                validation_quality=self.quality(validation.targets, model.answer(asked)),
            )


def learning_curve(
    learner: Learner, rows: Mapping[str, BaselineRows], shares: Sequence[float]
) -> list[LearningPoint]:
    """The learning curve of a baseline: its quality after growing shares of the train rows."""
    total = len(rows["train"].ids)
    parts = [np.arange(round(share * total)) for share in sorted(set(shares))]
    return [*learner.learned(rows, parts)]


def quality_by_labels(
    learner: Learner,
    rows: Mapping[str, BaselineRows],
    counts: Sequence[int],
    *,
    draws: int,
    seed: int,
) -> dict[int, list[float]]:
    """Number of train rows → validation quality of a baseline that learned from as many, a draw each.

    All rows are drawn only once.
    """
    total = len(rows["train"].ids)
    orders = [np.random.default_rng([seed, draw]).permutation(total) for draw in range(draws)]
    parts = [
        np.sort(order[:count])
        for count in counts
        for order in (orders[:1] if count == total else orders)
    ]
    found: dict[int, list[float]] = {}
    for point in track(learner.learned(rows, parts), "baseline  labels needed", len(parts)):
        found.setdefault(point.step, []).append(point.validation_quality)
    return found
