"""Equal texts have equal hashes, and each row knows the first one with its hash."""

import random

import numpy as np

from pipeline.data.equal_rows import first_equal, hashes_of


def test_the_first_of_equal_rows_is_the_one_a_list_would_find() -> None:
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    for count in (0, 1, 500):
        texts = [chance.choice("abcdefgh") * chance.randint(0, 9) for _ in range(count)]
        assert first_equal(hashes_of(texts)).tolist() == [texts.index(text) for text in texts]


def test_a_text_and_its_bytes_have_one_hash() -> None:
    texts = ["", "good", "배송이 빨라요", "é"]
    assert (hashes_of(texts) == hashes_of([text.encode() for text in texts])).all()


def test_rows_are_told_apart_by_the_second_half_of_their_hashes_too() -> None:
    hashes = np.array([[7, 2], [7, 1], [3, 1], [7, 2], [7, 1]], dtype=np.uint64)
    assert first_equal(hashes).tolist() == [0, 1, 2, 0, 1]
