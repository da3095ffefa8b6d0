"""Agreement and majority of annotators."""

import pytest

from pipeline.data.annotations import krippendorff_alpha, majority


def test_alpha_equals_an_example_worked_by_hand() -> None:
    # Rows ab, aa, bb: each pair counts twice, once in each order.
    # o_ab = o_ba = 1, o_aa = 2, o_bb = 2; n_a = n_b = 3, n = 6.
    # alpha = 1 - (6 - 1) * (1 + 1) / (3*3 + 3*3) = 1 - 10/18.
    rows = [["a", "b"], ["a", "a"], ["b", "b"]]
    assert krippendorff_alpha(rows) == pytest.approx(1 - 10 / 18)


def test_alpha_weighs_a_row_by_its_annotators() -> None:
    # Row aab: ordered pairs weigh 1/2: o_aa = 1, o_ab = o_ba = 1. Row bb: o_bb = 2.
    # n_a = 2, n_b = 3, n = 5; alpha = 1 - 4 * 2 / (2 * 2*3) = 1/3.
    assert krippendorff_alpha([["a", "a", "b"], ["b", "b"], ["a"]]) == pytest.approx(1 / 3)


def test_alpha_is_none_where_nothing_could_disagree() -> None:
    assert krippendorff_alpha([["a", "a"]]) is None
    assert krippendorff_alpha([["a"], ["b"]]) is None


def test_the_majority_wins_and_a_tie_keeps_the_source() -> None:
    assert majority({"x": "a", "y": "b", "z": "b"}, otherwise="a") == "b"
    assert majority({"x": "b", "y": "a"}, otherwise="a") == "a"
