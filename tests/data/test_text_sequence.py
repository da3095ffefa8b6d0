"""Texts in an Arrow array are a sequence of strings like a list of them."""

import pyarrow as pa
import pytest

from pipeline.data.text_sequence import TextSequence, stored_texts

TEXTS = ["one", "", "배송이", "four and five", "🎬"] * 3


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_stored_texts_are_those_of_the_parts(kind: pa.DataType) -> None:
    whole = pa.array(TEXTS, kind)
    found = stored_texts([whole[:4], whole[4:4], whole[4:11], whole[11:]])
    assert [*found] == TEXTS
    assert len(found) == len(TEXTS)
    assert [found[place] for place in range(-1, 5)] == [TEXTS[-1], *TEXTS[:5]]


def test_a_part_of_a_sequence_is_a_sequence() -> None:
    found = TextSequence(pa.array(TEXTS))
    for part in (slice(2, 9), slice(None, None, 4), slice(5, 5)):
        assert [*found[part]] == TEXTS[part]


def test_there_may_be_no_text() -> None:
    assert [*stored_texts([])] == [*stored_texts([pa.array([], pa.string())])] == []
    assert [*stored_texts([pa.array(["", ""])])] == ["", ""]


def test_a_number_beyond_the_end_is_an_error_as_with_a_list() -> None:
    with pytest.raises(IndexError):
        TextSequence(pa.array(TEXTS))[len(TEXTS)]
