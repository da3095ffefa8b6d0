"""A word keeps its combining marks, and what nobody sees is no letter."""

import re
import sys
import unicodedata

import pytest

from pipeline.core.letters import has_letter, mark_pattern, visible, word_pattern, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("आधुनिक मानक हिन्दी", ["आधुनिक", "मानक", "हिन्दी"], id="Hindi"),
        pytest.param("வேண்டும், வேண்டாம்", ["வேண்டும்", "வேண்டாம்"], id="Tamil"),
        pytest.param("หนังดีมาก!", ["หนังดีมาก"], id="Thai"),
        pytest.param("مَرْحَبًا بك", ["مَرْحَبًا", "بك"], id="Arabic with vowel signs"),
        pytest.param("अवन्\u200d क्\u200dष", ["अवन्\u200d", "क्\u200dष"], id="a joiner after a mark"),
        pytest.param(
            "می\u200cخواهم کتاب\u200c", ["می\u200cخواهم", "کتاب"], id="a joiner in Persian"
        ),
        pytest.param("in\u200cLatin", ["in", "Latin"], id="a joiner elsewhere is none of the word"),
        pytest.param("don't  stop_it, 2 ½", ["don", "t", "stop_it", "2", "½"], id="English"),
        pytest.param("배송이 정말 빨라요.", ["배송이", "정말", "빨라요"], id="Korean"),
        pytest.param("\u0301alone \u0301", ["alone"], id="a mark alone is no word"),
    ],
)
def test_words_are_told_apart_as_readers_do(text: str, found: list[str]) -> None:
    assert words(text) == found
    assert re.findall(word_pattern().pattern, text) == found


def test_a_text_of_what_nobody_sees_has_no_letter() -> None:
    assert not has_letter("\u3164\u115f\u1160 \uffa0\u200b\u2062\ufe0f\U000e0041")
    assert not has_letter("👍 !? ❤️ …")
    assert has_letter("\u3164가")
    assert has_letter("!7")


def test_invisible_characters_go_and_a_filler_is_the_blank_that_it_looks_like() -> None:
    assert visible("안녕\u3164하세요 co\u00adop\u200e ❤\ufe0f") == "안녕 하세요 coop ❤"
    assert visible("क्\u200dष") == "क्\u200dष"


def test_the_marks_are_those_of_unicode() -> None:
    mark = re.compile(mark_pattern())
    for character in map(chr, range(sys.maxunicode + 1)):
        is_mark = unicodedata.category(character) in {"Mn", "Mc"} and visible(character) != ""
        assert bool(mark.match(character)) == is_mark, ascii(character)
