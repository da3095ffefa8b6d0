"""Sentences with too few new word pairs are skipped, and the first of similar ones is picked."""

import pytest

from pipeline.data.variety import varied

SENTENCES = [
    "a film of great warmth and wit",
    "A film of great warmth, and charm!",
    "the jokes are older than the cast",
    "a film of great warmth and grace",
    "two hours that feel like four",
]


def test_a_sentence_that_brings_little_new_is_passed_over() -> None:
    rows = varied(SENTENCES, range(5), count=3, min_new_pairs=0.5)
    assert rows.tolist() == [0, 2, 4]


def test_the_order_says_which_of_the_like_ones_is_taken() -> None:
    rows = varied(SENTENCES, [3, 4, 2, 1, 0], count=3, min_new_pairs=0.5)
    assert rows.tolist() == [2, 3, 4]


def test_those_passed_over_fill_up_where_too_few_are_new() -> None:
    rows = varied(SENTENCES, range(5), count=4, min_new_pairs=0.5)
    assert rows.tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("count", [5, 99])
def test_all_are_taken_where_there_are_no_more(count: int) -> None:
    assert varied(SENTENCES, range(5), count=count, min_new_pairs=1.0).tolist() == [0, 1, 2, 3, 4]


def test_without_a_share_the_first_are_taken() -> None:
    assert varied(SENTENCES, [4, 1, 0, 2, 3], count=2, min_new_pairs=0.0).tolist() == [1, 4]


def test_single_words_count_too() -> None:
    assert varied(["good", "good", "bad"], range(3), count=2, min_new_pairs=1.0).tolist() == [0, 2]
