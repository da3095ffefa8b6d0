"""Finds labels that are probably wrong: several simple models that have not seen a row all say another label.

Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068), as cleanlab does it, on answers
that are cross-fitted: a row is answered by models of other rows alone. People look at the rows that are found,
most suspicious first; no label is ever changed by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.variants import CHARACTERS, TFIDF
from pipeline.models.cross_fitted import Learn, Rows, cross_fitted, folds_of, pooled
from pipeline.models.linear import LINEAR_MODELS, Counted, Inputs, LinearTask
from pipeline.models.word_vectors import WordVectors
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem

SHARE = 0.02
"""Part of the rows that is shown to people at most: the farther down, the more labels are right."""
MOST_ROWS = 30_000
"""Rows that are looked at; of more, these are the first by id, which is a fair sample."""
_FOLDS = 5
_VECTOR_C = 0.003


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably wrong.

    Attributes:
        row: its number.
        suggested: the target that the models find instead.
        confidence: how likely they find it, 0 to 1; of several labels, that of the least sure one.
    """

    row: int
    suggested: list[float]
    confidence: float


def find_suspects(
    inputs: Inputs,
    targets: Targets,
    clusters: Sequence[str],
    *,
    task: LinearTask,
    regularisation: Mapping[str, float],
    seed: int,
    vectors: WordVectors | None = None,
) -> list[Suspect]:
    """The rows whose label is probably wrong, most suspicious first; at most `SHARE` of all.

    None for numbers, and none where a label's rows are so nearly the same that all are in one fold.

    Args:
        inputs: texts or pairs of the rows, `(rows,)`.
        targets: `(rows, width)`.
        clusters: the cluster of near copies of each row.
        regularisation: name of a linear baseline → its C.
        vectors: word vectors of a checkpoint, from which a third model learns.
    """
    if not task.problem.has_probabilities:
        return []
    folds = folds_of(clusters, count=_FOLDS, seed=seed)
    if not _can_be_learned(targets, folds, task):
        return []
    learners = _learners(inputs, targets, task, regularisation, vectors)
    answers = [cross_fitted(learn, folds) for learn in learners]
    return _chosen(pooled(answers, targets, task.problem), targets, task.problem)


def _can_be_learned(targets: Targets, folds: Rows, task: LinearTask) -> bool:
    """Whether the rows of all folds but one have every label, whichever fold is left out."""
    return all(
        task.problem.can_learn(targets[folds != fold], labels=task.labels)
        for fold in np.unique(folds)
    )


def _learners(
    inputs: Inputs,
    targets: Targets,
    task: LinearTask,
    regularisation: Mapping[str, float],
    vectors: WordVectors | None,
) -> Iterator[Learn]:
    """One learner a model: words, pieces of words, and the meaning of words where vectors are given."""
    for name in (TFIDF, CHARACTERS):
        counted, strength = Counted.of(name, inputs, task), regularisation[name]

        def from_counts(
            train: Rows, asked: Rows, counted: Counted = counted, strength: float = strength
        ) -> Scores:
            model = counted.rows(train).fit(targets[train], task, regularisation=strength)
            return model.answer(counted.table[asked])

        yield from_counts
    if vectors is not None:
        table = _standardised(_vectors_of(inputs, vectors))

        def from_vectors(train: Rows, asked: Rows) -> Scores:
            fit = LINEAR_MODELS[task.problem.name].tfidf
            return fit(table[train], targets[train], task.labels, _VECTOR_C)(table[asked])

        yield from_vectors


def _vectors_of(inputs: Inputs, vectors: WordVectors) -> NDArray[np.float32]:
    """Mean vectors of the texts; of pairs both, and how far they are apart, `(rows, width)`."""
    if isinstance(inputs[0], str):
        return vectors.means([str(text) for text in inputs])
    first, second = (vectors.means([pair[side] for pair in inputs]) for side in (0, 1))
    return np.concatenate([first, second, np.abs(first - second)], axis=1)


def _standardised(table: NDArray[np.float32]) -> NDArray[np.float32]:
    deviation = table.std(axis=0)
    return np.asarray((table - table.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))


def _chosen(scores: Scores, targets: Targets, problem: Problem) -> list[Suspect]:
    """The rows that confident learning finds and whose answer is another, lowest quality first."""
    flagged, quality = _judged(scores, targets, problem)
    answers = problem.answers(scores, Decision())
    other = problem.right(problem.gold(targets), answers) == 0
    suggested = answers.reshape(len(answers), -1).astype(np.float64)
    sure = problem.gold_probabilities(answers, scores).reshape(len(answers), -1).min(axis=1)
    rows = np.flatnonzero(flagged & other)
    order = rows[np.argsort(quality[rows], kind="stable")][: round(SHARE * len(targets))]
    return [Suspect(int(row), suggested[row].tolist(), float(sure[row])) for row in order]


def _judged(
    scores: Scores, targets: Targets, problem: Problem
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether cleanlab takes each label for an error, and its label quality, 0 to 1; both `(rows,)`."""
    # Imported here: a build of numbers needs none of it, and it takes half a second.
    if problem.many_labels:
        from cleanlab.multilabel_classification import get_label_quality_scores as of_many
        from cleanlab.multilabel_classification.filter import find_label_issues as among_many

        held = [np.flatnonzero(row > 0).tolist() for row in targets]
        return (np.asarray(among_many(held, scores, n_jobs=1)), np.asarray(of_many(held, scores)))
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = targets[:, 0].astype(np.int64)
    return (
        np.asarray(find_label_issues(labels, scores, n_jobs=1)),
        np.asarray(get_label_quality_scores(labels, scores)),
    )
