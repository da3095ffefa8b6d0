"""Votes become numbers that do not depend on the order in which they were read."""

import numpy as np
import pytest

from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named

VOTES = {"r2": {"bo": "b", "ann": "a"}, "r1": {"bo": "a"}}


def test_rows_and_people_are_in_order_of_their_names() -> None:
    table = VoteTable.of(VOTES, problem=problem_named("classification"), labels=["a", "b"])
    assert (table.row_names, table.names) == (("r1", "r2"), ("ann", "bo"))
    assert table.rows.tolist() == [0, 1, 1]
    assert table.people.tolist() == [1, 0, 1]
    assert table.answers.tolist() == [[0], [0], [1]]
    assert table.counts(0).tolist() == [[1, 0], [1, 1]]
    assert table.votes_of_rows.tolist() == [1, 2]


def test_a_product_of_several_labels_asks_for_each() -> None:
    votes = {"r1": {"ann": "a|c", "bo": ""}}
    table = VoteTable.of(votes, problem=problem_named("multi_label"), labels=["a", "b", "c"])
    assert table.answers.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert (table.choices, table.counts(2).tolist()) == (2, [[1, 1]])


def test_some_of_the_votes_leave_no_empty_row() -> None:
    table = VoteTable.of(VOTES, problem=problem_named("classification"), labels=["a", "b"])
    some = table.only(np.array([False, True, True]))
    assert (some.row_names, some.rows.tolist()) == (("r2",), [0, 0])


def test_numbers_have_no_table_of_answers() -> None:
    with pytest.raises(ValueError, match="regression asks for numbers"):
        VoteTable.of({"r1": {"ann": "1.5"}}, problem=problem_named("regression"), labels=["x"])
