"""Sets of grams as numbers: equal where Python's sets of substrings are."""

from itertools import permutations

import numpy as np
import pytest

from pipeline.data.gram_sets import blocks, shared, sketches
from tests.support.grams import grams, sets_of

TEXTS = [
    "a warm and funny film",
    "a warm and funny film indeed",
    "배송이 정말 빠르고 친절했어요",
    "배송이 정말 빠르고 좋았어요",
    "👩‍👩‍👧 漢字 as text, 漢字 as text",
    "wow",
    "wow!",
    "",
    "aaaaaaaaaaaaaaaaaaaa",
    "iphone15は最高、カメラも良い",
    "这家餐厅的菜真好吃",
    "값",
    "값이",
    "ok값",
    "값 ok",
    "값okay",
    "값 okay",
    "an english text with 漢 in it, and more after it",
]


def test_a_set_has_as_many_numbers_as_there_are_different_grams() -> None:
    numbers, sizes = sets_of(TEXTS)
    assert sizes.tolist() == [len(grams(text)) for text in TEXTS]
    for row in np.split(numbers, np.cumsum(sizes)[:-1]):
        assert (row[1:] > row[:-1]).all()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("warm film", {"warm ", "arm f", "rm fi", "m fil", " film"}),
        ("값이 싸요", {"값이", "이 ", " 싸", "싸요"}),
        ("映画は良い", {"映画", "画は", "は良", "良い"}),
        ("tv 값이 good", {"tv 값이", "v 값이 ", " 값", "값이", "이 ", " good"}),
        ("a tv값 ok", {"a tv값", " tv값 ", "tv값 o", "v값", "값 ", " ok", "ok"}),
    ],
)
def test_grams_have_five_characters_or_two_with_a_dense_letter(text: str, pieces: set[str]) -> None:
    assert grams(text) == pieces
    _, sizes = sets_of([text])
    assert sizes.tolist() == [len(pieces)]


def test_texts_that_differ_after_their_last_dense_letter_have_different_sets() -> None:
    texts = [
        f"값{blank}{end}" for blank in ("", " ") for end in ("", "o", "ok", "oh", "okay", "okra")
    ]
    numbers, sizes = sets_of(texts)
    sets = [{*row.tolist()} for row in np.split(numbers, np.cumsum(sizes)[:-1])]
    assert all(one != other for one, other in permutations(sets, 2))


def test_two_sets_share_as_many_numbers_as_grams() -> None:
    numbers, sizes = sets_of(TEXTS)
    pairs = [(first, second) for first in range(len(TEXTS)) for second in range(len(TEXTS))]
    first, second = np.array(pairs).T
    expected = [len(grams(TEXTS[one]) & grams(TEXTS[other])) for one, other in pairs]
    assert shared(numbers, sizes, (first, second)).tolist() == expected


def test_sketches_differ_in_no_more_bits_than_grams_are_in_one_set_alone() -> None:
    numbers, sizes = sets_of(TEXTS)
    found = sketches(numbers, sizes, words=2)
    for one in range(len(TEXTS)):
        for other in range(len(TEXTS)):
            apart = len(grams(TEXTS[one]) ^ grams(TEXTS[other]))
            assert np.bitwise_count(found[one] ^ found[other]).sum() <= apart


def test_rare_grams_come_before_common_ones() -> None:
    texts = [f"{number:05}the same words" for number in range(400)]
    often, _ = sets_of(["the same words"], among=texts)
    once, _ = sets_of(["00123"], among=texts)
    assert once[0] < often.min()


def test_every_row_is_in_one_block_with_rows_of_about_its_length() -> None:
    lengths = np.array([3, 900_000, 5, 4, 899_999])
    assert [block.tolist() for block in blocks(lengths)] == [[1], [4], [2, 3, 0]]
