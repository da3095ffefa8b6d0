"""Votes become the likeliest label of each row, with its probability; where two are alike, both are told."""

import pytest

from pipeline.metrics.merged_votes import MergedRow, explained, merged_rows
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support.planted_votes import LABELS, planted_votes


def merged(
    votes: dict[str, dict[str, str]], *, problem: str = "classification", labels: list[str] = LABELS
) -> dict[str, MergedRow]:
    kind = problem_named(problem)
    table = VoteTable.of(votes, problem=kind, labels=labels)
    found = merged_rows(table, explained(table), problem=kind, labels=labels)
    return {row.row: row for row in found}


def test_confidence_is_how_often_the_label_is_right() -> None:
    planted = planted_votes(rows=8000)
    found = merged(planted.votes)
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        some = [row for row in found.values() if low <= row.confidence < high]
        right = sum(row.labels == (planted.right[row.row],) for row in some) / len(some)
        assert right == pytest.approx(sum(row.confidence for row in some) / len(some), abs=0.06)


def test_where_two_labels_are_equally_likely_both_are_told() -> None:
    votes = {"r1": {"x": "a", "y": "b"}, "r2": {"x": "b", "y": "a"}}
    found = merged(votes, labels=["a", "b"])
    assert {row.labels for row in found.values()} == {("a", "b")}
    assert [row.confidence for row in found.values()] == pytest.approx([0.5, 0.5])


def test_each_of_several_labels_is_merged_by_itself() -> None:
    votes = {f"{n}": {"x": "a|b", "y": "a", "z": "a"} for n in range(3)}
    votes |= {f"more {n}": {"x": "b", "y": "", "z": ""} for n in range(3)}
    found = merged(votes, problem="multi_label", labels=["a", "b"])
    assert found["0"].labels == ("a",)
    assert found["more 0"].labels == ("",)


def test_no_votes_merge_to_nothing() -> None:
    assert merged({}) == {}
