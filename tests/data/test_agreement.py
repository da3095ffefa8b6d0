"""Krippendorff's alpha equals published tables and its definition; its interval tells what it knows."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest

from pipeline.data.agreement import Agreement, agreement
from pipeline.problem.problem import Problem
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four people, twelve
# units, some not judged; the last unit has one judgement alone.
PUBLISHED = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def alpha(rows: Sequence[Sequence[str]], problem: Problem, labels: Sequence[str]) -> float | None:
    return agreement(rows, problem=problem, labels=labels, seed=1).alpha


def by_definition(
    rows: Sequence[Sequence[Any]], distance: Callable[[Any, Any], float]
) -> float | None:
    """Alpha from all pairs of values, one by one."""
    rows = [row for row in rows if len(row) > 1]
    observed = sum(
        sum(distance(*pair) for pair in permutations(row, 2)) / (len(row) - 1) for row in rows
    )
    totals = Counter(value for row in rows for value in row)
    expected = sum(totals[c] * totals[k] * distance(c, k) for c in totals for k in totals)
    return 1 - (totals.total() - 1) * observed / expected if expected else None


@pytest.mark.parametrize(("problem", "published"), [(CLASSIFICATION, 0.743), (REGRESSION, 0.849)])
def test_alpha_equals_the_published_table(problem: Problem, published: float) -> None:
    judged = zip(*(line.split() for line in PUBLISHED), strict=True)
    rows = [[vote for vote in unit if vote != "."] for unit in judged]
    assert alpha(rows, problem, ["1", "2", "3", "4", "5"]) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Rows ab, aa, bb: each pair counts twice, once in each order.
        # o_ab = o_ba = 1, o_aa = 2, o_bb = 2; n_a = n_b = 3, n = 6.
        # alpha = 1 - (6 - 1) * (1 + 1) / (3*3 + 3*3) = 1 - 10/18.
        ([["a", "b"], ["a", "a"], ["b", "b"]], 1 - 10 / 18),
        # Row aab: ordered pairs weigh 1/2: o_aa = 1, o_ab = o_ba = 1. Row bb: o_bb = 2.
        # n_a = 2, n_b = 3, n = 5; alpha = 1 - 4 * 2 / (2 * 2*3) = 1/3.
        ([["a", "a", "b"], ["b", "b"], ["a"]], 1 / 3),
        # Nothing could disagree.
        ([["a", "a"]], None),
        ([["a"], ["b"]], None),
        ([], None),
    ],
)
def test_alpha_equals_examples_worked_by_hand(
    rows: list[list[str]], expected: float | None
) -> None:
    assert alpha(rows, CLASSIFICATION, ["a", "b"]) == pytest.approx(expected)


def test_alpha_of_numbers_weighs_by_the_square_of_the_difference() -> None:
    # Rows 1 2, 1 1, 4 4: o_12 = o_21 = 1; n_1 = 3, n_2 = 1, n_4 = 2, n = 6.
    # observed 2 * 1 = 2; expected 2 * (3*1*1 + 3*2*9 + 1*2*4) = 130; alpha = 1 - 5 * 2 / 130.
    rows = [["1.0", "2.0"], ["1.0", "1.0"], ["4.0", "4.0"]]
    assert alpha(rows, REGRESSION, ["stars"]) == pytest.approx(1 - 10 / 130)


@pytest.mark.parametrize(
    ("problem", "values", "distance"),
    [
        (REGRESSION, lambda chance: chance.gauss(0, 3), lambda a, b: (float(a) - float(b)) ** 2),
        (REGRESSION, lambda chance: 1e9 + chance.random(), lambda a, b: (float(a) - float(b)) ** 2),
        (CLASSIFICATION, lambda chance: chance.choice("abcdefgh"), lambda a, b: float(a != b)),
    ],
    ids=["numbers", "large numbers that differ little", "labels"],
)
def test_alpha_equals_its_definition_over_all_pairs(
    problem: Problem, values: Callable[[random.Random], Any], distance: Callable[[Any, Any], float]
) -> None:
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    rows = []
    for _ in range(60):
        row = [values(chance)] * 2 + [values(chance) for _ in range(chance.randrange(4))]
        rows.append([str(value) for value in row[chance.randrange(2) :]])
    found = alpha(rows, problem, [*"abcdefgh"])
    assert found == pytest.approx(by_definition(rows, distance), rel=0, abs=1e-12)


def test_many_different_numbers_cost_no_more_than_there_are() -> None:
    chance = random.Random(6)  # noqa: S311 - test data, not a secret
    rows = [[str(mean), str(mean + chance.gauss(0, 0.1))] for mean in range(20_000)]
    assert alpha(rows, REGRESSION, ["stars"]) == pytest.approx(1, abs=1e-6)


def test_alpha_of_several_labels_is_the_mean_over_those_that_could_disagree() -> None:
    # Label a as in the first example, b always agreed on, c never given.
    rows = [["a|b", "b"], ["a", "a"], ["b", "b"]]
    a = by_definition([[True, False], [True, True], [False, False]], lambda c, k: float(c != k))
    assert alpha(rows, MULTI_LABEL, ["a", "b", "c"]) == pytest.approx(((a or 0) + 1) / 2)
    assert alpha([["", ""]], MULTI_LABEL, ["a"]) is None


def doubles(agreed: int, disputed: int) -> Agreement:
    rows = [["a", "a"], ["b", "b"]] * (agreed // 2) + [["a", "b"]] * disputed
    return agreement(rows, problem=CLASSIFICATION, labels=["a", "b"], seed=1)


def test_the_interval_holds_alpha_and_is_narrower_with_more_rows() -> None:
    few, many = doubles(agreed=20, disputed=5), doubles(agreed=400, disputed=100)
    for found in (few, many):
        assert found.alpha is not None
        assert found.interval is not None
        assert found.interval[0] < found.alpha < found.interval[1]
    assert few.interval is not None
    assert many.interval is not None
    assert many.interval[1] - many.interval[0] < (few.interval[1] - few.interval[0]) / 3


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_the_rows() -> None:
    rows = [["a", "b"], ["a", "a"], ["b", "b"], ["b", "b"]]
    first, second = (
        agreement(given, problem=CLASSIFICATION, labels=["a", "b"], seed=3)
        for given in (rows, [["b", "a"], *reversed(rows[1:])])
    )
    assert first == second


@pytest.mark.parametrize(
    ("agreed", "disputed", "judgement"),
    [
        (0, 1, "inconclusive"),  # 999 single labels, and one row that two people see differently
        (60, 0, "reached"),
        (18, 0, "inconclusive"),  # all agree, on too few rows
        (300, 30, "reached"),
        (30, 60, "missed"),
        (40, 12, "inconclusive"),
        (0, 0, "not measured"),
    ],
)
def test_the_judgement_is_no_more_certain_than_the_rows_are(
    agreed: int, disputed: int, judgement: str
) -> None:
    found = doubles(agreed, disputed)
    assert found.judgement(min_agreement=0.6, min_double_rows=20) == judgement


def test_rows_that_all_have_one_label_but_for_a_single_vote_prove_no_disagreement() -> None:
    """Alpha is 0 where labels hardly vary, though 59 of 60 rows are agreed on."""
    rows = [["a", "a"]] * 59 + [["a", "b"]]
    found = agreement(rows, problem=CLASSIFICATION, labels=["a", "b"], seed=1)
    assert found.alpha == pytest.approx(0)
    assert found.judgement(min_agreement=0.6, min_double_rows=20) == "inconclusive"
