"""Sentences of the corpus are long enough, in words as speakers count them, and in no held-out text."""

import pytest

from pipeline.core.params import parse_params
from pipeline.data.records import Record
from pipeline.data.transfer_set import transfer_sentences
from tests.support.repository import parameter_values


def sentences_of(document: str, *held_out: str) -> list[str]:
    rows = [Record(id=str(n), text=text, split="test") for n, text in enumerate(held_out)]
    prepare = parse_params(parameter_values()).prepare
    found = transfer_sentences([Record(id="d", text=document)], rows, prepare)
    return sorted(sentence.text for sentence in found)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("A fine film of its kind. So so. Well - er - no.", ["A fine film of its kind."]),
        ("この映画は本当に面白かった。面白い。", ["この映画は本当に面白かった。"]),
        ("这家餐厅的菜真好吃。不错。", ["这家餐厅的菜真好吃。"]),
        ("आधुनिक मानक हिन्दी", []),
    ],
)
def test_sentences_of_at_least_four_words_are_taken_in_every_script(
    document: str, found: list[str]
) -> None:
    assert sentences_of(document) == found


def test_a_sentence_that_holds_a_held_out_text_is_left_out_in_every_script() -> None:
    document = "昨日この映画は本当に面白かったと言った。料理はとても辛かったと思う。"
    assert sentences_of(document, "この映画は本当に面白かった") == ["料理はとても辛かったと思う。"]
