"""Krippendorff's alpha equals examples worked by hand."""

import pytest

from pipeline.data.agreement import agreement, krippendorff_alpha
from pipeline.problem.problems import PROBLEMS

CLASSIFICATION, MULTI_LABEL, REGRESSION = PROBLEMS.values()
nominal, squared = CLASSIFICATION.distance, REGRESSION.distance


@pytest.mark.parametrize(
    ("rows", "alpha"),
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
    ],
)
def test_alpha_equals_examples_worked_by_hand(rows: list[list[str]], alpha: float | None) -> None:
    assert krippendorff_alpha(rows, nominal) == pytest.approx(alpha)


def test_alpha_of_numbers_weighs_by_the_square_of_the_difference() -> None:
    # Rows 1 2, 1 1, 4 4: o_12 = o_21 = 1; n_1 = 3, n_2 = 1, n_4 = 2, n = 6.
    # observed 2 * 1 = 2; expected 2 * (3*1*1 + 3*2*9 + 1*2*4) = 130; alpha = 1 - 5 * 2 / 130.
    rows = [[1.0, 2.0], [1.0, 1.0], [4.0, 4.0]]
    assert krippendorff_alpha(rows, squared) == pytest.approx(1 - 10 / 130)
    texts = [[repr(number) for number in row] for row in rows]
    found = agreement(texts, problem=REGRESSION, labels=["stars"])
    assert found == pytest.approx(1 - 10 / 130)


def test_alpha_of_several_labels_is_the_mean_over_those_that_could_disagree() -> None:
    # Label a as in the first example, b always agreed on, c never given.
    rows = [["a|b", "b"], ["a", "a"], ["b", "b"]]
    a = krippendorff_alpha([[True, False], [True, True], [False, False]], nominal)
    found = agreement(rows, problem=MULTI_LABEL, labels=["a", "b", "c"])
    assert found == pytest.approx(((a or 0) + 1) / 2)
    assert agreement([["", ""]], problem=MULTI_LABEL, labels=["a"]) is None
