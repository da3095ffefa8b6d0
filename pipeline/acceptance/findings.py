"""Findings about a problem before a model is trained: baselines, a rule of words, more labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.artifacts.data_reports import (
    BaselineQuality,
    KeywordRule,
    LabelsOutlook,
    MeasuredQuality,
    NoiseCeiling,
)
from pipeline.core.variants import MAJORITY
from pipeline.metrics.labels_needed import DRAWS, LabelsNeeded, LearningLaw, Measured, label_counts
from pipeline.metrics.noise_ceiling import noise_ceiling
from pipeline.models.baselines import BaselineRows, Learner, Quality, quality_by_labels, strongest
from pipeline.models.keyword_rule import find_rules
from pipeline.models.linear import LinearTask
from pipeline.problem.problems import CLASSIFICATION

Splits = Mapping[str, BaselineRows]
_FEWEST_SIZES = 4
MOST_LEARNED = 30_000
"""Train rows that the search for the labels needed learns from at most: it learns 36 times."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Findings about a problem on its validation rows.

    Attributes:
        quality: baseline → its quality.
        regularisation: baseline → its C.
        rule: the best rule of a few words; None where there is none.
        outlook: what more labels would bring; None where there are too few rows to tell.
        ceiling: how good a model can look at most; None where too few rows have labels of two people.
    """

    quality: Mapping[str, BaselineQuality]
    regularisation: Mapping[str, float]
    rule: KeywordRule | None
    outlook: LabelsOutlook | None
    ceiling: NoiseCeiling | None = None

    @property
    def best(self) -> str:
        """The strongest baseline."""
        return strongest({name: found.validation for name, found in self.quality.items()})

    def gain(self, quality: float) -> float:
        """How far a quality is above that of the constant answer."""
        return quality - self.quality[MAJORITY].validation


def ceiling_of(
    votes: Sequence[Sequence[str]], task: LinearTask, *, seed: int
) -> NoiseCeiling | None:
    """How good a model can look at most; None where the labels that people gave do not tell.

    Args:
        votes: the labels that different people gave to each row.
    """
    if task.problem.name != CLASSIFICATION:
        return None
    found = noise_ceiling(votes, labels=task.labels, seed=seed)
    if found is None:
        return None
    double = sum(len(given) > 1 for given in votes)
    return NoiseCeiling(accuracy=found.value, interval=found.as_list(), rows=double)


def keyword_rule(
    rows: Splits, task: LinearTask, *, quality: Quality, labels: Sequence[str]
) -> KeywordRule | None:
    """The best rule of a few words on train, with its quality on validation; None without one."""
    train, validation = rows["train"], rows["validation"]
    found = find_rules(train.inputs, train.targets, task, quality)
    if found is None:
        return None
    return KeywordRule(
        words={labels[rule.label]: [*rule.words] for rule in found.rules},
        otherwise=None if found.otherwise is None else labels[found.otherwise],
        validation=quality(validation.targets, found.scores(validation.inputs)),
    )


def labels_outlook(
    learner: Learner, rows: Splits, *, wanted: float, seed: int
) -> LabelsOutlook | None:
    """The gain of more labels for a baseline; None where there are too few rows to tell.

    Args:
        wanted: `min_quality`; 0 where nothing is asked for.
    """
    trained, some = len(rows["train"].ids), first_rows(rows)
    counts = label_counts(len(some["train"].ids))
    measured = quality_by_labels(learner, some, counts, draws=DRAWS, seed=seed)
    labelled = sum(len(part.ids) for part in rows.values()) / trained
    return outlook(measured, wanted=wanted, labelled=labelled, trained=trained, seed=seed)


def first_rows(rows: Splits) -> dict[str, BaselineRows]:
    """All splits, of train only the first `MOST_LEARNED` rows by id, which are a fair sample."""
    train = rows["train"]
    some = BaselineRows(
        train.ids[:MOST_LEARNED], train.inputs[:MOST_LEARNED], train.targets[:MOST_LEARNED]
    )
    return {**rows, "train": some}


def outlook(
    measured: Measured, *, wanted: float, labelled: float, trained: int, seed: int
) -> LabelsOutlook | None:
    """The gain of more labels; None where quality was measured after too few numbers of labels.

    Args:
        measured: number of train rows → qualities.
        wanted: `min_quality`; 0 where nothing is asked for.
        labelled: how many rows have to be labelled for one train row, 1 or more.
        trained: train rows that there are; quality was measured after some or all of them.
    """
    if len(measured) < _FEWEST_SIZES:
        return None
    law = LearningLaw.fitted(measured, seed=seed)
    twice = law.quality_after(2 * trained, seed=seed)
    needed = law.labels_for(wanted) if wanted > 0 else LabelsNeeded(None, None, None)

    def more(labels: int | None) -> int | None:
        return None if labels is None else max(0, round((labels - trained) * labelled))

    ceiling, loss, rate = law.laws[0].tolist()
    return LabelsOutlook(
        train_rows=trained,
        measured=[
            MeasuredQuality(labels=count, qualities=[*measured[count]])
            for count in sorted(measured)
        ],
        ceiling=ceiling,
        loss=loss,
        rate=rate,
        after_twice=twice.value,
        after_twice_interval=twice.as_list(),
        more_labels=more(needed.labels),
        at_least=more(needed.low),
        at_most=more(needed.high),
    )
