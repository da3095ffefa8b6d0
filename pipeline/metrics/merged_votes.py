"""Merges the votes on each row as the model of Dawid & Skene does, and says how sure each answer is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.metrics.dawid_skene import DawidSkene, dawid_skene
from pipeline.metrics.vote_table import Floats, VoteTable
from pipeline.problem.problem import Problem

_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class MergedRow:
    """The likeliest answer to a row.

    Attributes:
        labels: the stored label; two where both are equally likely.
        confidence: probability that it is right; of several labels, that of the least certain one.
        votes: how many people labelled the row.
    """

    row: str
    labels: tuple[str, ...]
    confidence: float
    votes: int


def explained(table: VoteTable) -> list[DawidSkene]:
    """Returns what the votes on each question of the table tell; nothing where there are no votes."""
    if not len(table.rows):
        return []
    return [
        dawid_skene(table.rows, table.people, answers, choices=table.choices)
        for answers in table.answers.T
    ]


def merged_rows(
    table: VoteTable, found: Sequence[DawidSkene], *, problem: Problem, labels: Sequence[str]
) -> list[MergedRow]:
    """Returns the likeliest answers, in the order of the table's rows.

    Args:
        found: of each question of the table.
    """
    if not found:
        return []
    sure = np.min([each.posterior.max(axis=1) for each in found], axis=0)
    answers = zip(*(_likeliest(each.posterior) for each in found), strict=True)
    return [
        MergedRow(row, _stored(given, problem, labels), float(confidence), int(votes))
        for row, given, confidence, votes in zip(
            table.row_names, answers, sure, table.votes_of_rows, strict=True
        )
    ]


def _likeliest(posterior: Floats) -> list[tuple[int, int]]:
    """Returns the answer of each row, twice; where two are equally likely, one and the other."""
    order = np.argsort(-posterior, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(posterior, order, axis=1)
    tied = best[:, 0] - best[:, 1] < _TIE
    seconds = np.where(tied, order[:, 1], order[:, 0])
    return [*zip(order[:, 0].tolist(), seconds.tolist(), strict=True)]


def _stored(
    given: Sequence[tuple[int, int]], problem: Problem, labels: Sequence[str]
) -> tuple[str, ...]:
    """Returns the stored labels of the answers to all questions, each once."""
    targets = ([float(answer[side]) for answer in given] for side in (0, 1))
    return tuple(dict.fromkeys(problem.label_of(target, labels) for target in targets))
