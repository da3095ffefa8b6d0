"""Sets of grams as numbers: equal where Python's sets of substrings are."""

import numpy as np

from pipeline.data.gram_sets import blocks, commonness, gram_sets, shared, sketches

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
]


def grams(text: str) -> set[str]:
    return {text[n : n + 5] for n in range(max(len(text) - 4, 1))}


def test_a_set_has_as_many_numbers_as_there_are_different_grams() -> None:
    numbers, sizes = gram_sets(TEXTS, commonness(TEXTS))
    assert sizes.tolist() == [len(grams(text)) for text in TEXTS]
    for row in np.split(numbers, np.cumsum(sizes)[:-1]):
        assert (row[1:] > row[:-1]).all()


def test_two_sets_share_as_many_numbers_as_grams() -> None:
    numbers, sizes = gram_sets(TEXTS, commonness(TEXTS))
    pairs = [(first, second) for first in range(len(TEXTS)) for second in range(len(TEXTS))]
    first, second = np.array(pairs).T
    expected = [len(grams(TEXTS[one]) & grams(TEXTS[other])) for one, other in pairs]
    assert shared(numbers, sizes, (first, second)).tolist() == expected


def test_sketches_differ_in_no_more_bits_than_grams_are_in_one_set_alone() -> None:
    numbers, sizes = gram_sets(TEXTS, commonness(TEXTS))
    found = sketches(numbers, sizes, words=2)
    for one in range(len(TEXTS)):
        for other in range(len(TEXTS)):
            apart = len(grams(TEXTS[one]) ^ grams(TEXTS[other]))
            assert np.bitwise_count(found[one] ^ found[other]).sum() <= apart


def test_rare_grams_come_before_common_ones() -> None:
    texts = [f"{number:05}the same words" for number in range(400)]
    common = commonness(texts)
    often, _ = gram_sets(["the same words"], common)
    once, _ = gram_sets(["00123"], common)
    assert once[0] < often.min()


def test_every_row_is_in_one_block_with_rows_of_about_its_length() -> None:
    lengths = np.array([3, 900_000, 5, 4, 899_999])
    assert [block.tolist() for block in blocks(lengths)] == [[1], [4], [2, 3, 0]]
