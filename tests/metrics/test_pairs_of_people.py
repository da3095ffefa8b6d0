"""Cohen's kappa equals published tables; the pairs who agree least and the labels they confuse come first."""

import pytest

from pipeline.metrics.pairs_of_people import FEWEST_ROWS, confusions, pairs_of_people
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support import rating_tables
from tests.support.rating_tables import Votes, crossed


# Gwet, "Handbook of Inter-Rater Reliability" (2014); more digits as irrCAC 0.4.4 gives them.
@pytest.mark.parametrize(
    ("counts", "kappa", "same"),
    [
        (rating_tables.ABSTRACTORS, 0.796409402184, 0.89),
        (rating_tables.DIAGNOSES, 0.431500775881, 0.587443946188),
    ],
    ids=["abstractors", "diagnoses"],
)
def test_cohens_kappa_equals_published_tables(
    counts: list[list[int]], kappa: float, same: float
) -> None:
    [pair] = pairs_of_people(crossed(counts).table(), most=9, seed=1)
    assert pair.kappa is not None
    assert pair.kappa.value == pytest.approx(kappa, abs=1e-9)
    assert pair.same == pytest.approx(same, abs=1e-9)
    assert pair.kappa.low < kappa < pair.kappa.high
    assert (pair.first, pair.second, pair.rows) == ("ann", "bo", sum(map(sum, counts)))


def three_people(rows: int) -> Votes:
    """Votes of `a` and `b`, who always agree, and of `c`, who says the opposite; `d` shares no row."""
    votes = {}
    for row in range(rows):
        label, other = ("yes", "no") if row % 2 else ("no", "yes")
        votes[f"{row:03}"] = {"b": label, "c": other, "a": label}
        votes[f"{row:03} alone"] = {"d": label}
    return Votes(votes, ["no", "yes"])


def test_pairs_who_agree_least_come_first() -> None:
    found = pairs_of_people(three_people(30).table(), most=2, seed=1)
    assert [(pair.first, pair.second) for pair in found] == [("a", "c"), ("b", "c")]
    assert [pair.same for pair in found] == [0, 0]
    assert found[0].kappa is not None
    assert found[0].kappa.value == pytest.approx(-1.0)


def test_pairs_with_few_common_rows_are_left_out() -> None:
    assert pairs_of_people(three_people(FEWEST_ROWS - 1).table(), most=9, seed=1) == []
    assert len(pairs_of_people(three_people(FEWEST_ROWS).table(), most=9, seed=1)) == 3


def test_a_pair_that_always_gives_one_label_has_no_kappa() -> None:
    votes = {f"{row:03}": {"a": "yes", "b": "yes"} for row in range(30)}
    [pair] = pairs_of_people(Votes(votes, ["no", "yes"]).table(), most=9, seed=1)
    assert (pair.kappa, pair.same) == (None, 1.0)


def test_kappa_of_several_labels_is_the_mean_over_those_that_differ() -> None:
    votes = {
        f"{row:03}": {"x": "a", "y": "a"} if row % 2 else {"x": "b", "y": ""} for row in range(40)
    }
    table = VoteTable.of(votes, problem=problem_named("multi_label"), labels=["a", "b", "c"])
    [pair] = pairs_of_people(table, most=9, seed=1)
    assert pair.kappa is not None
    assert pair.kappa.value == pytest.approx((1.0 + 0.0) / 2)
    assert pair.same == pytest.approx(0.5)


def test_labels_that_people_take_for_each_other_come_with_rows_and_share() -> None:
    votes = {
        "1": {"x": "a", "y": "b", "z": "b"},
        "2": {"x": "b", "y": "a"},
        "3": {"x": "a", "y": "c"},
        "4": {"x": "c", "y": "c"},
    }
    first, second = confusions(Votes(votes, ["a", "b", "c"]).table(), ["a", "b", "c"], most=9)
    assert (first.first, first.second, first.rows, first.share) == ("a", "b", 2, 3 / 4)
    assert (second.first, second.second, second.rows, second.share) == ("a", "c", 1, 1 / 4)


def test_where_all_agree_no_labels_are_confused() -> None:
    votes = {"1": {"x": "a", "y": "a"}}
    assert confusions(Votes(votes, ["a", "b"]).table(), ["a", "b"], most=9) == []
