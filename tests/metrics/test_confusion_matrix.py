"""Which labels people give to the same rows, against counting every pair of votes."""

from itertools import combinations

import numpy as np
import pytest

from pipeline.metrics.confusion_matrix import confusion_matrix, rows_of_both
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support.planted_votes import LABELS, planted_votes
from tests.support.rating_tables import ABSTRACTORS, FIVE_OBSERVERS, crossed, rated


def test_of_two_people_the_first_ones_labels_are_the_lines() -> None:
    table = crossed(ABSTRACTORS).table()
    found = confusion_matrix(table, labels=3, people=("ann", "bo"))
    assert found.tolist() == ABSTRACTORS
    turned = confusion_matrix(table, labels=3, people=("bo", "ann"))
    assert turned.tolist() == np.transpose(ABSTRACTORS).tolist()


def test_of_everybody_each_pair_of_votes_counts_and_the_matrix_is_symmetric() -> None:
    planted = planted_votes(rows=60, people=7, spammers=2, votes_a_row=4)
    table = VoteTable.of(planted.votes, problem=problem_named("classification"), labels=LABELS)
    expected = np.zeros((3, 3), dtype=int)
    for votes in planted.votes.values():
        for one, other in combinations(votes.values(), 2):
            first, second = LABELS.index(one), LABELS.index(other)
            expected[first, second] += 1
            expected[second, first] += first != second
    assert confusion_matrix(table, labels=3).tolist() == expected.tolist()


def test_of_several_labels_a_cell_counts_the_one_that_each_gave_alone() -> None:
    votes = {
        "1": {"ann": "angry|sad", "bo": "sad"},
        "2": {"ann": "angry", "bo": "glad"},
        "3": {"ann": "", "bo": ""},
    }
    labels = ["angry", "sad", "glad"]
    table = VoteTable.of(votes, problem=problem_named("multi_label"), labels=labels)
    found = confusion_matrix(table, labels=3, people=("ann", "bo"))
    assert found.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_pairs_of_people_are_listed_by_the_rows_that_both_labelled() -> None:
    rated_rows = rated(FIVE_OBSERVERS)
    expected = {
        (one, other): sum({one, other} <= {*votes} for votes in rated_rows.votes.values())
        for one, other in combinations([f"person {number}" for number in range(5)], 2)
    }
    found = rows_of_both(rated_rows.table())
    assert {pair[:2]: pair[2] for pair in found} == {k: v for k, v in expected.items() if v}
    assert [pair[2] for pair in found] == sorted(expected.values(), reverse=True)[: len(found)]


@pytest.mark.parametrize("people", [None, ("ann", "ann")], ids=["everybody", "one person"])
def test_rows_with_one_vote_tell_nothing(people: tuple[str, str] | None) -> None:
    votes = {"1": {"ann": "a"}, "2": {"ann": "b"}}
    table = VoteTable.of(votes, problem=problem_named("classification"), labels=["a", "b"])
    assert not confusion_matrix(table, labels=2, people=people).any()
    assert rows_of_both(table) == []
