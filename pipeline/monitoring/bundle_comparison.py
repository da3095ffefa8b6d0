"""Two released bundles on the same rows, as they would answer in production."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.core.params import Params
from pipeline.core.product import CLASSIFICATION, REGRESSION
from pipeline.metrics.quality import Values, gold_of
from pipeline.monitoring.decide import Comparison
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.scores import Scores
from pipeline.runtime.task import requests_of
from pipeline.runtime.text_model import TextModel


@dataclass(frozen=True)
class Rows:
    """Rows that neither bundle trained on.

    Attributes:
        seconds: the second text of each pair; empty where there are no pairs.
        targets: gold of each row, `(rows, width)`, in the order of `product.labels`.
    """

    texts: list[str]
    seconds: list[str]
    targets: list[list[float]]


def asks_the_same(champion: Path, params: Params) -> bool:
    """Whether a bundle answers the product's question of today: same problem, texts or pairs.

    Raises:
        ArtifactError: the bundle is damaged.
    """
    task = open_bundle(champion).task
    return (task.problem, task.pairs) == (params.product.problem, params.product.pairs)


def compare(champion: Path, candidate: Path, *, rows: Rows, params: Params) -> Comparison:
    """Quality of both bundles on `rows`, each by its own decision, and its difference.

    Raises:
        ArtifactError: a bundle is damaged.
        ValueError: there is no row.
    """
    if not rows.texts:
        raise ValueError("no row to compare on")
    judge = Judge.of(params)
    old, new = (
        _judged(folder, rows, labels=params.product.labels, problem=judge.problem)
        for folder in (champion, candidate)
    )
    return Comparison(
        len(rows.texts),
        old.figure(judge.metric),
        new.figure(judge.metric),
        difference_interval(new, old, judge),
        judge.metric,
    )


def _judged(folder: Path, rows: Rows, *, labels: list[str], problem: str) -> Judged:
    """The bundle's answers in the order of today's labels, which may not be that of its own."""
    model = TextModel.from_bundle(open_bundle(folder))
    scores = model.scores(requests_of(rows.texts, rows.seconds))
    own = model.task.labels
    return Judged(
        gold=gold_of(problem, np.array(rows.targets, dtype=np.float64)),
        answers=_answers_by(labels, own, model.task.decision.answers(problem, scores), problem),
        scores=scores if problem == REGRESSION else _columns_by(labels, own, scores),
        abstained=model.task.decision.abstains(problem, scores),
    )


def _answers_by(labels: list[str], own: tuple[str, ...], answers: Values, problem: str) -> Values:
    if problem == REGRESSION:
        return answers
    if problem == CLASSIFICATION:
        # A label that is no longer one is never right.
        places = np.array([labels.index(name) if name in labels else -1 for name in own])
        return np.asarray(places[answers])
    return _columns_by(labels, own, answers.astype(np.float64)) > 0


def _columns_by(labels: list[str], own: tuple[str, ...], columns: Scores) -> NDArray[np.float64]:
    """The columns of today's labels; 0 for one that the bundle does not know."""
    return np.stack(
        [columns[:, own.index(name)] if name in own else np.zeros(len(columns)) for name in labels],
        axis=1,
    )
