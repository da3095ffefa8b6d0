"""Dawid–Skene finds the right answers behind votes, and weighs people as they deserve."""

import numpy as np
import pytest

from pipeline.metrics.dawid_skene import DawidSkene, dawid_skene
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support import rating_tables
from tests.support.planted_votes import LABELS, PlantedVotes, planted_votes
from tests.support.rating_tables import rated


def table_of(planted: PlantedVotes) -> VoteTable:
    return VoteTable.of(planted.votes, problem=problem_named("classification"), labels=LABELS)


def explained(table: VoteTable, **settings: float) -> DawidSkene:
    return dawid_skene(
        table.rows, table.people, table.answers[:, 0], choices=table.choices, **settings
    )


def share_right(answers: np.typing.NDArray[np.int64], planted: PlantedVotes) -> float:
    right = [LABELS.index(planted.right[row]) for row in sorted(planted.votes)]
    return float(np.mean(answers == right))


def test_it_is_right_more_often_than_the_majority_where_some_people_guess() -> None:
    planted = planted_votes(rows=2000)
    table = table_of(planted)
    found = share_right(explained(table).posterior.argmax(axis=1), planted)
    majority = share_right(table.counts(0).argmax(axis=1), planted)
    assert found >= majority + 0.03


def test_prior_votes_keep_few_votes_from_being_taken_for_certain() -> None:
    surer, righter = [], []
    for seed in range(10):
        planted = planted_votes(rows=60, people=4, spammers=1, votes_a_row=3, seed=seed)
        table = table_of(planted)
        plain, with_prior = explained(table, prior_votes=0), explained(table)
        right, better = (
            share_right(f.posterior.argmax(axis=1), planted) for f in (plain, with_prior)
        )
        surer.append(
            [
                plain.posterior.max(axis=1).mean() - right,
                with_prior.posterior.max(axis=1).mean() - better,
            ]
        )
        righter.append(better - right)
    too_sure = np.abs(np.mean(surer, axis=0))
    assert too_sure[1] < too_sure[0] / 2
    assert np.mean(righter) > 0


# Rows of posterior probabilities that crowd-kit 1.4.2's DawidSkene(n_iter=300, tol=-1) comes to, without prior votes.
@pytest.mark.parametrize(
    ("table", "likeliest"),
    [
        (rating_tables.FOUR_OF_THREE, "c c c c a a b b c c c c c a a"),
        (rating_tables.FIVE_OBSERVERS, "2 1 3 0 0 0 1 2 2 1 0 0 2 3 1"),
    ],
    ids=["four of three", "five observers"],
)
def test_without_prior_votes_it_comes_to_what_crowd_kit_comes_to(
    table: str, likeliest: str
) -> None:
    votes = rated(table)
    found = explained(votes.table(), prior_votes=0)
    expected = np.eye(len(votes.labels))[[votes.labels.index(label) for label in likeliest.split()]]
    assert np.abs(found.posterior - expected).max() < 1e-3


def test_people_who_always_agree_are_always_right() -> None:
    rows, answers = np.repeat(np.arange(30), 2), np.repeat(np.arange(30) % 3, 2)
    found = dawid_skene(rows, np.tile([0, 1], 30), answers, choices=3, prior_votes=0)
    assert found.posterior.argmax(axis=1).tolist() == [row % 3 for row in range(30)]
    assert found.errors == pytest.approx(np.stack([np.eye(3)] * 2), abs=1e-6)
    assert found.priors == pytest.approx([1 / 3] * 3)


def test_a_person_who_says_the_opposite_is_understood() -> None:
    """Two people are right, one always says the other label: a row of that person alone is turned round."""
    right = np.arange(60) % 2
    rows = np.concatenate([np.tile(np.arange(60), 3), [60]])
    people = np.concatenate([np.repeat([0, 1, 2], 60), [2]])
    answers = np.concatenate([right, right, 1 - right, [1]])
    found = dawid_skene(rows, people, answers, choices=2)
    assert found.posterior[:60].argmax(axis=1).tolist() == right.tolist()
    assert found.posterior[60].argmax() == 0


def test_errors_are_probabilities_of_what_is_given_where_something_is_right() -> None:
    found = explained(table_of(planted_votes(rows=100)))
    assert found.errors.sum(axis=1) == pytest.approx(np.ones((20, 3)))
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(100))
