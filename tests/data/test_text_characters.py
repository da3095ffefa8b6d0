"""Texts of an array have the characters that texts of a list have."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.text_characters import Texts
from pipeline.data.text_sequence import TextSequence

TEXTS = ["a film", "", "배송이 빨라요", "👍 ok", "x"]


def array_of(texts: Sequence[str], kind: pa.DataType) -> TextSequence:
    return TextSequence(pa.array(["before", *texts], kind)[1:])


@pytest.mark.parametrize(
    "parts",
    [
        [TEXTS],
        [TEXTS[:2], TEXTS[2:]],
        [array_of(TEXTS, pa.string())],
        [array_of(TEXTS, pa.large_string())],
        [array_of(TEXTS[:3], pa.large_string()), [], TEXTS[3:]],
    ],
    ids=["a list", "two lists", "an array", "a large array", "an array and lists"],
)
def test_texts_have_their_lengths_and_characters(parts: list[Sequence[str]]) -> None:
    texts = Texts(*parts)
    assert texts.lengths.tolist() == [6, 0, 7, 4, 1]
    assert len(texts) == len(TEXTS)
    for rows in ([3, 0, 1], [0, 4], [4, 2, 0, 3], [1], []):
        expected = [ord(character) for row in rows for character in TEXTS[row]]
        assert texts.characters(np.array(rows, dtype=np.int64)).tolist() == expected


def test_a_list_may_have_half_of_a_surrogate_pair() -> None:
    assert Texts(["\ud83d"]).characters(np.array([0])).tolist() == [0xD83D]
