"""Sentences with too few new word pairs are skipped, and the first of similar ones is picked."""

from collections.abc import Sequence

import pytest

from pipeline.data.variety import varied

SENTENCES = [
    "a film of great warmth and wit",
    "A film of great warmth, and charm!",
    "the jokes are older than the cast",
    "a film of great warmth and grace",
    "two hours that feel like four",
]


@pytest.mark.parametrize(
    ("order", "count", "share", "rows"),
    [
        pytest.param(range(5), 3, 0.5, [0, 2, 4], id="one that brings little new is passed over"),
        pytest.param([3, 4, 2, 1, 0], 3, 0.5, [2, 3, 4], id="the order says which is taken"),
        pytest.param(range(5), 4, 0.5, [0, 1, 2, 4], id="those passed over fill up"),
        pytest.param(range(5), 5, 1.0, [0, 1, 2, 3, 4], id="all are taken"),
        pytest.param(range(5), 99, 1.0, [0, 1, 2, 3, 4], id="all, where there are no more"),
        pytest.param([4, 1, 0, 2, 3], 2, 0.0, [1, 4], id="without a share the first are taken"),
    ],
)
def test_sentences_are_picked_for_what_they_bring(
    order: Sequence[int], count: int, share: float, rows: list[int]
) -> None:
    assert varied(SENTENCES, order, count=count, min_new_pairs=share).tolist() == rows


def test_single_words_count_too() -> None:
    assert varied(["good", "good", "bad"], range(3), count=2, min_new_pairs=1.0).tolist() == [0, 2]


def test_letters_count_where_a_script_has_no_blanks_between_words() -> None:
    sentences = ["この映画は面白かった", "この映画は面白かったよ", "料理はとても辛かった"]
    assert varied(sentences, range(3), count=2, min_new_pairs=0.5).tolist() == [0, 2]
