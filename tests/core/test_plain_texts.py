"""Plain characters are those that no step of cleaning changes, alone or beside another one."""

import re
import sys
import unicodedata

import pytest

from pipeline.core.cleaning import clean
from pipeline.core.invisible import SELECTORS
from pipeline.core.letters import visible
from pipeline.core.plain_texts import class_of, is_plain


def test_a_plain_character_is_seen_and_in_its_composed_form() -> None:
    for character in filter(is_plain, map(chr, range(sys.maxunicode + 1))):
        assert unicodedata.normalize("NFC", character) == character
        assert not unicodedata.category(character).startswith("M")
        assert visible(character) == character
        assert ord(character) not in SELECTORS
        assert character.isspace() == (character in "\t\n\r ")
        assert clean(character, rules=1) == clean(character, rules=2) == character.strip()


def test_no_plain_character_melts_with_the_one_before_it() -> None:
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            assert not is_plain(chr(int(parts[1], 16)))
    for jamo in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)):
        assert not is_plain(chr(jamo))


@pytest.mark.parametrize(
    "text", ["Good film!", "배송이 빨라요…\n“좋다” ㅋㅋ", "naïve ★ 👍", "映画、最高！", ""]
)
def test_what_people_type_is_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "odd", ["\x00", "\v", "\x85", "\xa0", "\u0301", "\u200d", "\ufe0f", "\u11a8"]
)
def test_one_character_that_is_not_plain_is_found_wherever_it_stands(odd: str) -> None:
    for before in (0, 1, 8191, 8192, 20_000):
        assert not is_plain("가" * before + odd + "a" * 9000)


def test_a_class_of_code_points_has_these_alone() -> None:
    codes = {0, 9, *map(ord, "+-.]^\\z"), 0xFF, 0x1F600}
    found = re.compile(class_of(codes))
    assert {code for code in range(sys.maxunicode + 1) if found.match(chr(code))} == codes
