"""A column of texts gives the same characters as a list of them."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.text_column import TextColumn, characters_of, joined, lengths_of

TEXTS = ["a film", "", "배송이 빨라요", "👍 ok", "x"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_column_has_the_texts_of_its_array(kind: pa.DataType) -> None:
    texts = TextColumn(pa.array(["before", *TEXTS], kind)[1:])
    assert list(texts) == [texts[row] for row in range(len(texts))] == TEXTS
    assert list(texts[1::2]) == TEXTS[1::2]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_column_and_a_list_have_the_same_lengths_and_characters(kind: pa.DataType) -> None:
    texts = TextColumn(pa.array(["before", *TEXTS], kind)[1:])
    assert lengths_of(texts).tolist() == lengths_of(TEXTS).tolist() == [6, 0, 7, 4, 1]
    for rows in ([3, 0, 1], [0, 4], [1], []):
        expected = [ord(character) for row in rows for character in TEXTS[row]]
        for some in (texts, TEXTS):
            assert characters_of(some, np.array(rows, dtype=np.int64)).tolist() == expected


def test_a_list_may_have_half_of_a_surrogate_pair() -> None:
    assert characters_of(["\ud83d"], np.array([0])).tolist() == [0xD83D]


def test_a_column_and_others_are_a_column() -> None:
    texts = TextColumn(pa.array(TEXTS[:2], pa.large_string()))
    for others in (TEXTS[2:], TextColumn(pa.array(TEXTS[2:]))):
        both = joined(texts, others)
        assert isinstance(both, TextColumn)
        assert list(both) == list(joined(TEXTS[:2], others)) == TEXTS
