"""Compares bundles on the same rows, each with the answers it gives in production."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.core.params import Params
from pipeline.metrics.intervals import Interval
from pipeline.monitoring.decide import Comparison
from pipeline.problem.problem import Problem
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.task import requests_of
from pipeline.runtime.text_model import TextModel


@dataclass(frozen=True)
class ComparedRows:
    """Rows that no bundle of a comparison trained on.

    Attributes:
        seconds: the second text of each pair; empty where there are no pairs.
        targets: gold, `(rows, width)`, in the order of `product.labels`.
    """

    texts: list[str]
    seconds: list[str]
    targets: list[list[float]]


def asks_the_same(champion: Path, params: Params) -> bool:
    """Whether a bundle has the product's problem of today, and reads pairs if the product does."""
    task = open_bundle(champion).task
    return (task.problem, task.pairs) == (params.product.problem, params.product.pairs)


def compare(
    guard: Mapping[str, Path], candidate: Path, *, rows: ComparedRows, params: Params
) -> list[Comparison]:
    """The candidate against each model of the guard on `rows`, each with its own decision.

    Args:
        guard: hash → folder of a bundle, the champion last.
    """
    if not rows.texts:
        raise ValueError("no row to compare on")
    judge, labels = Judge.of(params), params.product.labels
    new = _judged(candidate, rows, labels=labels, problem=judge.problem)
    found = []
    for name, folder in guard.items():
        old = _judged(folder, rows, labels=labels, problem=judge.problem)
        difference = difference_interval(new, old, judge)
        found.append(
            Comparison(
                against=name,
                rows=len(rows.texts),
                former=old.figure(judge.metric),
                candidate=new.figure(judge.metric),
                difference=difference,
                error=_standard_error(difference, judge.options.confidence),
                metric=judge.metric,
            )
        )
    return found


def _standard_error(interval: Interval, confidence: float) -> float:
    """The standard error that an interval of this level comes from, if errors are normal."""
    width = interval.high - interval.low
    return float(width / 2 / stats.norm.isf((1 - confidence) / 2))


def _judged(folder: Path, rows: ComparedRows, *, labels: list[str], problem: Problem) -> Judged:
    """The bundle's answers, in the order of today's labels, which may not be its own."""
    model = TextModel.from_bundle(open_bundle(folder))
    own, decision = model.task.labels, model.task.decision
    scores = model.scores(requests_of(rows.texts, rows.seconds))
    abstained = problem.abstains(scores, decision)
    scores, answers = problem.reordered(
        scores, problem.answers(scores, decision), own=own, labels=labels
    )
    return Judged(
        gold=problem.gold(np.array(rows.targets, dtype=np.float64)),
        answers=answers,
        scores=scores,
        abstained=abstained,
    )
