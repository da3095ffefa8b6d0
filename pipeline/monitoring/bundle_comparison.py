"""Compares two bundles on the same rows, each with the answers it gives in production."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.core.params import Params
from pipeline.monitoring.decide import Comparison
from pipeline.problem.problem import Problem
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.task import requests_of
from pipeline.runtime.text_model import TextModel


@dataclass(frozen=True)
class ComparedRows:
    """Rows that neither bundle trained on.

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


def compare(champion: Path, candidate: Path, *, rows: ComparedRows, params: Params) -> Comparison:
    """The quality of both bundles on `rows`, each with its own decision, and the difference."""
    if not rows.texts:
        raise ValueError("no row to compare on")
    judge = Judge.of(params)
    old, new = (
        _judged(folder, rows, labels=params.product.labels, problem=judge.problem)
        for folder in (champion, candidate)
    )
    return Comparison(
        rows=len(rows.texts),
        champion=old.figure(judge.metric),
        candidate=new.figure(judge.metric),
        difference=difference_interval(new, old, judge),
        metric=judge.metric,
    )


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
