"""Shortcuts for common texts return what the plain definitions do, for odd texts of every kind."""

import html
import re
import sys
import unicodedata
from collections.abc import Iterator

import pytest

from pipeline.core.cleaning import _JUDGED, _TABLES, CLEANING, clean
from pipeline.core.invisible import IGNORED, SELECTORS, without_idle_joiners
from pipeline.core.letters import has_letter, visible, word_pattern, words
from pipeline.core.markup import MARKUP
from pipeline.data import personal_data
from pipeline.data.personal_data import Span, spans
from pipeline.data.personal_kinds import ADDRESSES, LETTERED, NETWORK, Rule
from pipeline.data.personal_signs import may_hold
from pipeline.text.bare_words import bare_words, bare_words_of
from tests.data.test_personal_data import WRITTEN
from tests.support.odd_texts import odd_texts

TEXTS = odd_texts(2000)
# Nearly all that is special stands below; of the many letters above it some are enough.
CODES = (*range(0x3400), *range(0x3400, 0xF900, 61), *range(0xF900, 0x10000, 7))
CHARACTERS = [chr(code) for code in (*CODES, *range(0x10000, sys.maxunicode, 397))]
HIDDEN = {*IGNORED, *SELECTORS}
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
OTHER_FORMS = {
    **FULL_WIDTH,
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣ㅡー"), "-"),
    **dict.fromkeys(map(ord, "·。"), "."),
}


def cleaned_by_every_step(text: str, rules: int) -> str:
    """The definition of `clean`: each step over all of the text."""
    start, markup = text[:_JUDGED], MARKUP[rules]
    has_tags = bool(markup.any_tag.search(start))
    was_escaped = rules == 1 or bool(markup.escaped.search(start) and not has_tags)
    start = unescaped(start.strip(), rules) if was_escaped else start.strip()
    paragraphs = [re.compile(r"\n\s*\n"), markup.any_tag]
    lines = r"\n\s*\n|\v" if rules < 3 or any(p.search(start) for p in paragraphs) else r"[\n\v]"
    text = text.translate(_TABLES[rules])
    if was_escaped:
        text = unescaped(text, rules)
    text = markup.tags.sub("", markup.breaks.sub("\v", text))
    if rules > 1:
        text = unescaped(text, rules)
        text = unicodedata.normalize("NFC", text) if rules > 2 else text
        text = without_idle_joiners(text, past_marks=rules > 2)
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line for part in re.split(lines, text) if (line := " ".join(part.split())))
    return as_words(text, rules) if rules > 2 else text


def as_words(text: str, rules: int) -> str:
    text = MARKUP[rules].any_tag.sub(lambda tag: f"< {tag[0][1:]}", text)
    return MARKUP[rules].entity.sub(
        lambda found: found[0] if html.unescape(found[0]) == found[0] else f"& {found[0][1:]}", text
    )


def unescaped(text: str, rules: int) -> str:
    def character(entity: "re.Match[str]") -> str:
        found = html.unescape(f"&{entity[1]}")
        return found if rules == 1 else found.translate(_TABLES[rules])

    return MARKUP[rules].entity.sub(character, text)


def seen(text: str) -> str:
    """The definition of `visible`: character by character."""
    return "".join((IGNORED.get(ord(c)) or "") if ord(c) in HIDDEN else c for c in text)


def personal_by_every_rule(text: str) -> list[Span]:
    """The definition of `spans`: the rules of a family run where its signs stand, over all of the text."""
    plain = text.translate(OTHER_FORMS)
    shape = re.sub("[A-Z]", "A", re.sub("[0-9]", "0", plain))
    has_numbers = "00000000" in re.sub(r"[-. ()/+]", "", shape)
    found: list[Span] = []
    if any(sign in plain for sign in ("@", "://", "www.", "Www.")) or "AAA." in shape:
        found += every_place(ADDRESSES, plain)
    if "0.0" in shape or "::" in shape or shape.count(":") > 6:
        found += every_place(NETWORK, plain)
    if has_numbers or "A000A0000" in shape:
        found += every_place(LETTERED, plain)
    if has_numbers:
        found += personal_data._numbers(plain)
    kept: list[Span] = []
    for span in found:
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept)


def every_place(rules: tuple[Rule, ...], text: str) -> Iterator[Span]:
    for rule in rules:
        at = 0
        while match := rule.pattern.search(text, at):
            end = rule.end_of(match)
            if end is not None:
                yield Span(match.start(), end, rule.kind)
            at = match.start() + 1 if end is None else end


@pytest.mark.parametrize("rules", MARKUP)
def test_a_text_is_cleaned_as_by_every_step(rules: int) -> None:
    for text in TEXTS:
        assert clean(text, rules=rules) == cleaned_by_every_step(text, rules), ascii(text)
    for character in CHARACTERS:
        text = f"a{character}b {character}"
        if clean(text, rules=rules) != cleaned_by_every_step(text, rules):
            pytest.fail(ascii(character))


def test_long_texts_are_cleaned_as_by_every_step() -> None:
    for text in ("".join(TEXTS[at : at + 150]) for at in range(0, 1500, 150)):
        assert clean(text) == cleaned_by_every_step(text, CLEANING)


def test_the_bare_words_are_those_of_the_folded_text() -> None:
    def by_definition(text: str) -> str:
        folded = unicodedata.normalize("NFKC", seen(text)).casefold()
        return " ".join(word_pattern().findall(folded))

    for text in (*TEXTS, *map(clean, TEXTS)):
        assert bare_words(text) == by_definition(text), ascii(text)
    for character in CHARACTERS:
        for text in (f"가{character}나", f"A{character} b"):
            if bare_words(text) != by_definition(text):
                pytest.fail(ascii(text))


def test_the_bare_words_of_many_texts_are_those_of_each() -> None:
    texts = [*TEXTS, *map(clean, TEXTS), "", " ", "\n", "a\0b", "_", " a ", *CHARACTERS]
    assert bare_words_of(texts) == [bare_words(text).encode() for text in texts]
    for few in ([], [""], ["", ""], ["a"], [" ", "b "]):
        assert bare_words_of(few) == [bare_words(text).encode() for text in few]


def test_letters_are_told_as_one_by_one() -> None:
    for text in (*TEXTS, *CHARACTERS):
        letters = [c for c in seen(text) if c.isalnum()]
        if has_letter(text) != bool(letters) or visible(text) != seen(text):
            pytest.fail(ascii(text))
    for text in TEXTS:
        assert words(text) == word_pattern().findall(text), ascii(text)


def test_personal_data_are_found_as_by_every_rule() -> None:
    wide = [text.translate({plain: full for full, plain in FULL_WIDTH.items()}) for text in TEXTS]
    found = 0
    for text in (*TEXTS, *wide, *map(clean, TEXTS)):
        assert spans(text) == personal_by_every_rule(text), ascii(text)
        found += len(spans(text))
    assert found > 500


def test_texts_passed_over_together_hold_no_personal_data() -> None:
    values = [value for values in WRITTEN.values() for value in values]
    cleaned = [*map(clean, TEXTS), *values, *(f"so {value}\nand" for value in values), "", "good"]
    wide = [text.translate({plain: full for full, plain in FULL_WIDTH.items()}) for text in cleaned]
    for texts in ([*cleaned, None], [*wide, "a\0b"], [*TEXTS], ["hong@naver.com"], [""], []):
        read = may_hold(texts)
        for place, text in enumerate(texts):
            assert place in read or not (text and spans(text)), ascii(text)
    plain = may_hold(cleaned)
    assert sum(place in plain for place in range(len(TEXTS))) < len(TEXTS)
    assert may_hold(["Seen in 1999, 10 out of 10: a film", "12 34 56 78", None]) == {1}
    for gap in (1, 7, 8, 9, 30):
        assert may_hold(["a", "1234567", f"010{' ' * gap}123{'-' * gap}4567", "8", "z"]) == {2}
        assert may_hold(["가", "1234567é", f"０１０{'　' * gap}123{'‐' * gap}4567", "８", "é"]) == {
            2
        }
