"""Texts of an array have the characters that texts of a list have."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.text_characters import characters_of, joined, lengths_of
from pipeline.data.text_sequence import TextSequence

TEXTS = ["a film", "", "배송이 빨라요", "👍 ok", "x"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_an_array_and_a_list_have_the_same_lengths_and_characters(kind: pa.DataType) -> None:
    texts = TextSequence(pa.array(["before", *TEXTS], kind)[1:])
    assert lengths_of(texts).tolist() == lengths_of(TEXTS).tolist() == [6, 0, 7, 4, 1]
    for rows in ([3, 0, 1], [0, 4], [1], []):
        expected = [ord(character) for row in rows for character in TEXTS[row]]
        for some in (texts, TEXTS):
            assert characters_of(some, np.array(rows, dtype=np.int64)).tolist() == expected


def test_a_list_may_have_half_of_a_surrogate_pair() -> None:
    assert characters_of(["\ud83d"], np.array([0])).tolist() == [0xD83D]


def test_an_array_and_others_are_an_array() -> None:
    texts = TextSequence(pa.array(TEXTS[:2], pa.large_string()))
    for others in (TEXTS[2:], TextSequence(pa.array(TEXTS[2:]))):
        both = joined(texts, others)
        assert isinstance(both, TextSequence)
        assert list(both) == list(joined(TEXTS[:2], others)) == TEXTS
