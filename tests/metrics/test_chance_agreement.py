"""Coefficients of agreement equal published tables, and their intervals hold what they say."""

import random

import pytest

from pipeline.data.agreement import agreement
from pipeline.metrics.chance_agreement import (
    ChanceAgreement,
    chance_agreement,
    chance_agreement_by_version,
)
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named
from tests.support import rating_tables
from tests.support.rating_tables import Votes, crossed, rated

CLASSIFICATION = problem_named("classification")
MULTI_LABEL = problem_named("multi_label")


def agreed(votes: Votes, *, seed: int = 1) -> ChanceAgreement:
    return chance_agreement(votes.table(), votes.labels, seed=seed)


def values(votes: Votes) -> dict[str, float | None]:
    found = agreed(votes).overall
    return {name: None if each is None else each.value for name, each in found.items()}


# Gwet, "Handbook of Inter-Rater Reliability" (2014); more digits as irrCAC 0.4.4 gives them.
@pytest.mark.parametrize(
    ("table", "alpha", "ac1", "fleiss_kappa"),
    [
        (rating_tables.FOUR_RATERS, 0.7434210526, 0.7754440681, 0.7611692754),
        (rating_tables.FIVE_OBSERVERS, 0.4805302403, 0.4966220549, 0.4576216868),
        (rating_tables.BEN_AND_GERRY, 0.6648936170, 0.6614420063, 0.6493506494),
        (rating_tables.TWO_GROUPS, None, 0.6846038187, 0.6572452838),
        (rating_tables.FOUR_OF_THREE, None, 0.2080808081, 0.1288888889),
    ],
    ids=["four raters", "five observers", "ben and gerry", "two groups", "four of three"],
)
def test_coefficients_equal_published_tables(
    table: str, alpha: float | None, ac1: float, fleiss_kappa: float
) -> None:
    found = values(rated(table))
    assert found["ac1"] == pytest.approx(ac1, abs=1e-9)
    assert found["fleiss_kappa"] == pytest.approx(fleiss_kappa, abs=1e-9)
    if alpha is not None:
        assert found["alpha"] == pytest.approx(alpha, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "ac1", "fleiss_kappa"),
    [
        (rating_tables.ABSTRACTORS, 0.849330548231, 0.796239696212),
        (rating_tables.DIAGNOSES, 0.456157635468, 0.430340557276),
    ],
    ids=["abstractors", "diagnoses"],
)
def test_fleiss_kappa_of_two_people_is_scotts_pi(
    counts: list[list[int]], ac1: float, fleiss_kappa: float
) -> None:
    found = values(crossed(counts))
    assert found["ac1"] == pytest.approx(ac1, abs=1e-9)
    assert found["fleiss_kappa"] == pytest.approx(fleiss_kappa, abs=1e-9)


def random_votes(seed: int, *, rows: int = 80) -> Votes:
    chance = random.Random(seed)  # noqa: S311 - test data, not a secret
    votes = {}
    for row in range(rows):
        usual = chance.choice("abc")
        people = chance.sample(range(6), chance.randrange(1, 5))
        votes[f"r{row}"] = {
            f"p{p}": usual if chance.random() < 0.6 else chance.choice("abc") for p in people
        }
    return Votes(votes, ["a", "b", "c"])


def test_alpha_is_that_by_which_the_build_is_judged() -> None:
    given = random_votes(3)
    rows = [[*row.values()] for row in given.votes.values()]
    judged = agreement(rows, problem=CLASSIFICATION, labels=given.labels, seed=1)
    assert values(given)["alpha"] == pytest.approx(judged.alpha, abs=1e-12)


def test_one_label_against_the_rest_is_agreement_on_whether_a_text_has_it() -> None:
    given = random_votes(4)
    found = agreed(given).by_label
    for label in given.labels:
        yes_or_no = {
            row: {who: "yes" if said == label else "no" for who, said in of_row.items()}
            for row, of_row in given.votes.items()
        }
        expected = values(Votes(yes_or_no, ["no", "yes"]))
        told = {name: None if each is None else each.value for name, each in found[label].items()}
        assert told == pytest.approx(expected)


def test_agreement_of_several_labels_is_the_mean_over_those_that_could_differ() -> None:
    votes = {"1": {"x": "a|b", "y": "b"}, "2": {"x": "a", "y": "a"}, "3": {"x": "b", "y": "b"}}
    labels = ["a", "b", "c"]
    table = VoteTable.of(votes, problem=MULTI_LABEL, labels=labels)
    told = chance_agreement(table, labels, seed=1)
    found, by_label = told.overall["alpha"], told.by_label
    a, b, c = (by_label[label]["alpha"] for label in labels)
    assert found is not None
    assert a is not None
    assert b is not None
    assert c is None
    assert found.value == pytest.approx((a.value + b.value) / 2)


def test_where_nothing_could_differ_ac1_alone_is_known() -> None:
    same = {str(row): {"x": "a", "y": "a"} for row in range(9)}
    assert values(Votes(same, ["a", "b"])) == {"alpha": None, "ac1": 1.0, "fleiss_kappa": None}


def test_without_a_row_of_two_votes_nothing_is_known() -> None:
    alone = {str(row): {"x": "ab"[row % 2]} for row in range(9)}
    assert set(values(Votes(alone, ["a", "b"])).values()) == {None}


def test_ac1_stays_high_where_nearly_all_rows_have_one_label() -> None:
    rows = {str(row): {"x": "a", "y": "a"} for row in range(97)}
    rows |= {f"odd {row}": {"x": "a", "y": "b"} for row in range(3)}
    found = values(Votes(rows, ["a", "b"]))
    assert found["ac1"] == pytest.approx(0.97, abs=0.01)
    assert found["fleiss_kappa"] == pytest.approx(0.0, abs=0.05)


def test_the_order_of_rows_and_people_changes_no_interval() -> None:
    given = random_votes(5)
    turned = {row: dict(reversed(of_row.items())) for row, of_row in reversed(given.votes.items())}
    assert agreed(given, seed=2) == agreed(Votes(turned, given.labels), seed=2)


def test_many_rows_of_few_patterns_have_the_interval_that_drawing_rows_gives() -> None:
    """Repeating each row a hundred times narrows the interval tenfold, whichever way rows are drawn."""
    given = random_votes(6, rows=60)
    many = {f"{row} {n}": votes for row, votes in given.votes.items() for n in range(100)}
    few, wide = (agreed(Votes(votes, given.labels)).overall["ac1"] for votes in (many, given.votes))
    assert few is not None
    assert wide is not None
    assert few.value == pytest.approx(wide.value)
    assert (wide.high - wide.low) / (few.high - few.low) == pytest.approx(10, rel=0.1)


def test_intervals_hold_the_agreement_of_all_rows_as_often_as_they_say() -> None:
    given = random_votes(7, rows=1000)
    whole = values(given)
    chance = random.Random(8)  # noqa: S311 - test data, not a secret
    rows, held, draws = [*given.votes.values()], 0, 40
    for draw in range(draws):
        some = {str(n): row for n, row in enumerate(chance.choices(rows, k=150))}
        found = agreed(Votes(some, given.labels), seed=draw).overall
        held += sum(
            each is not None and each.low <= (whole[name] or 0.0) <= each.high
            for name, each in found.items()
        )
    assert 0.88 < held / (3 * draws) <= 1.0


def test_each_version_of_the_guide_has_its_own_agreement() -> None:
    """Under the old rule two people answered at random, under the new one they agree."""
    votes = {f"{row:03}": {"x": "ab"[row % 2], "y": "ab"[row // 2 % 2]} for row in range(100)}
    votes |= {f"{row:03}": {"x": "ab"[row % 2], "y": "ab"[row % 2]} for row in range(100, 200)}
    table = Votes(votes, ["a", "b"]).table()
    versions = ["old" if int(table.row_names[row]) < 100 else "new" for row in table.rows.tolist()]
    found = chance_agreement_by_version(table, ["a", "b"], versions, seed=1)
    ac1 = {version: each.overall["ac1"] for version, each in found.items()}
    assert [*ac1] == ["new", "old"]
    assert ac1["new"] is not None
    assert ac1["new"].value == pytest.approx(1.0)
    assert ac1["old"] is not None
    assert ac1["old"].value == pytest.approx(0.0, abs=0.05)
