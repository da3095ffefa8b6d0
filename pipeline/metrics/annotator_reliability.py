"""Tells how reliable each annotator is, and names those whose answers say nothing about the text.

Reliability is 1 for a person who is always right and 0 for one who answers whatever the text is, by a coin or
always the same: (Σ π_c − 1) / (choices − 1), where π_c is how often the person gives answer c where c is
right (Youden's J for two answers). What is right is told by the votes of the others alone, as the model of
Dawid & Skene weighs them: a person's own vote is no evidence for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.metrics.dawid_skene import DawidSkene, probabilities
from pipeline.metrics.intervals import Interval
from pipeline.metrics.vote_table import Floats, VoteTable

SPAM_CONFIDENCE, NEAR_CHANCE = 0.99, 0.25
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Annotator:
    """How reliable a person is.

    Attributes:
        votes: rows that the person labelled.
        shared: those of them that others labelled too.
        reliability: with its 95 % interval, of the shared rows, the mean over the questions; None without any.
        is_spammer: whether the answers are no better than chance: the 99 % interval of the reliability holds
            0 or lies below it, and ends below `NEAR_CHANCE`, so that a person with few votes is not accused.
    """

    name: str
    votes: int
    shared: int
    reliability: Interval | None
    is_spammer: bool


def annotators(table: VoteTable, found: Sequence[DawidSkene]) -> list[Annotator]:
    """Returns the people in order of their names.

    Args:
        found: of each question of the table.
    """
    shared = table.votes_of_rows[table.rows] > 1
    moments = [_moments(table, shared, each, question) for question, each in enumerate(found)]
    values, variances = (np.stack(part) for part in zip(*moments, strict=True))
    value, deviation = values.mean(axis=0), np.sqrt(variances.sum(axis=0)) / len(found)
    usual, strict = (stats.norm.ppf((1 + level) / 2) for level in (_CONFIDENCE, SPAM_CONFIDENCE))
    votes, common = (
        np.bincount(people, minlength=len(table.names))
        for people in (table.people, table.people[shared])
    )
    near = (value - strict * deviation <= 0) & (value + strict * deviation < NEAR_CHANCE)
    ends = [np.clip(value + sign * usual * deviation, -1.0, 1.0) for sign in (-1, 1)]
    return [
        Annotator(
            name,
            int(votes[i]),
            int(common[i]),
            Interval(float(value[i]), float(ends[0][i]), float(ends[1][i])) if common[i] else None,
            bool(near[i] and common[i]),
        )
        for i, name in enumerate(table.names)
    ]


def _moments(
    table: VoteTable, shared: NDArray[np.bool_], found: DawidSkene, question: int
) -> tuple[Floats, Floats]:
    """Returns each person's reliability in one question and its variance, `(people,)` each."""
    rows, people = table.rows[shared], table.people[shared]
    given = table.answers[shared, question]
    right = probabilities(found.logits[rows] - np.log(found.errors[people, given]))
    order = np.argsort(people, kind="stable")
    edges = np.cumsum(np.bincount(people, minlength=len(table.names)))[:-1]
    moments = [
        _reliability(right[votes], np.eye(table.choices)[given[votes]])
        for votes in np.split(order, edges)
    ]
    values, variances = zip(*moments, strict=True)
    return np.array(values), np.array(variances)


def _reliability(right: Floats, given: Floats) -> tuple[float, float]:
    """Returns the reliability of one person in one question, and its variance.

    The answers are regressed on the probabilities that the others' votes give to each answer (least
    squares): where these are sure, that counts how often each answer is given where each is right, and
    where they are not, it makes up for it. One vote by chance is added where each answer is right, so that
    an answer which is hardly ever right leaves its part of the reliability open.

    Args:
        right: the probabilities, `(votes, choices)`.
        given: 1 for the answer that the person gave, else 0, `(votes, choices)`.
    """
    choices = right.shape[1]
    inverse = np.linalg.inv(right.T @ right + np.eye(choices))
    errors = inverse @ (right.T @ given + 1 / choices)
    of_votes = ((right @ inverse) * (given - right @ errors)).sum(axis=1)
    of_chance = (1 / choices) * (1 - 1 / choices) * (np.diag(inverse) ** 2).sum()
    variance = float((of_votes**2).sum() + of_chance)
    return float(np.trace(errors) - 1) / (choices - 1), variance / (choices - 1) ** 2
