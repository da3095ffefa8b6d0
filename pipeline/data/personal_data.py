"""Finds personal data in texts, English and Korean, and puts the kind in place of the value.

Most texts hold none, and are passed over at the speed of `bytes.translate`: only a text that has eight
digits in a row (blanks and hyphens aside), an `@`, an address of the web or of a network is read
closely. Names of persons are not looked for. Values are never printed.
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.data.personal_kinds import EMAIL, IP4, IP6, LETTERED, NUMBERS, URL, Rule

# Blanks and hyphens of other keyboards and scripts; the Korean vowel ㅡ is often typed as a hyphen.
_BLANKS, _HYPHENS = "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", "‐‑‒–—―−﹣ㅡー"
PLAIN_FORMS = {
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
    **dict.fromkeys(_BLANKS, " "),
    **dict.fromkeys(_HYPHENS, "-"),
    "·": ".",
    "。": ".",
}
"""Characters of other keyboards and scripts, each with the one of ASCII that it stands for."""
_OTHER_FORMS = re.compile(f"[{_BLANKS}{_HYPHENS}·。\uff01-\uff5e]")

_SIGNS = re.compile("[0-9@:wW０-９＠：ｗＷ]")
"""Without any of these, in either width, no rule finds anything."""

_SHAPE = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZw", b"0" * 10 + b"A" * 27)
"""Digits as 0, capital letters as A, and so is `w`, for addresses are `www.` in any case."""
_CAPITALS, _LIKE_PASSPORT = re.compile(r"[A-Z]{3}\."), re.compile(r"[A-Z][0-9]{3}[A-Z][0-9]{4}")
_EIGHT = re.compile(rb"0[-. ()/+]*+(?:0[-. ()/+]*+){7}")
"""Eight digits with nothing but these between them."""
_RUN = re.compile(r"[0-9](?:[-. ()/+]{0,3}[0-9]){7,}")
_MARGIN = 12


class Span(NamedTuple):
    """The place of a value in its text: `text[start:end]`."""

    start: int
    end: int
    kind: str


def spans(text: str) -> list[Span]:
    """The places of personal data in a text, in order; none overlaps another.

    Offsets are those of the text as given, whatever widths its characters have.
    """
    if text.isascii():
        plain = text
    elif _SIGNS.search(text):
        plain = _OTHER_FORMS.sub(lambda found: PLAIN_FORMS[found[0]], text)
    else:
        return []
    found: list[Span] = []
    for span in _candidates(plain):
        place = bisect(found, span)
        is_free = place == len(found) or span.end <= found[place].start
        if is_free and (place == 0 or found[place - 1].end <= span.start):
            found.insert(place, span)
    return found


def redacted(text: str, found: Sequence[Span]) -> str:
    """The text with `[kind]` in place of each span that was found in it, such as `[phone]`."""
    parts, at = [], 0
    for span in found:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*parts, text[at:]])


def _candidates(text: str) -> list[Span]:
    """Returns all that the rules find, the surest kinds first; one value may be of several kinds."""
    shape = text.encode("ascii", "replace").translate(_SHAPE)
    digits, has_colon, has_at = shape.count(b"0"), ":" in text, "@" in text
    has_numbers = digits > 7 and _EIGHT.search(shape) is not None
    found: list[Span] = []
    if (has_colon and "://" in text) or (b"AAA." in shape and _has_www(text)):
        found += _found((URL,), text)
    if has_at:
        found += _found((EMAIL,), text)
    if digits > 3 and shape.count(b"0.0") > 1:  # as `1.2.3.4` has
        found += _found((IP4,), text)
    if has_colon and (b"::" in shape or shape.count(b":") > 6):
        found += _found((IP6,), text)
    if has_numbers or (digits > 6 and b"A000A0000" in shape and _LIKE_PASSPORT.search(text)):
        found += _found(LETTERED, text)
    if has_numbers:
        found += _numbers(text)
    return found


def _has_www(text: str) -> bool:
    """Whether `www.` is there; a mixture of cases, as `wWw.`, alone is no reason to look closely."""
    usual = ("www." in text, "Www." in text, "@" in text, _CAPITALS.search(text))
    return any(usual) and "www." in text.lower()


def _found(rules: Iterable[Rule], text: str) -> Iterator[Span]:
    for rule in rules:
        yield from _found_in(rule, text, 0, len(text))


def _numbers(text: str) -> Iterator[Span]:
    """Yields all that the rules of numbers find around each row of digits."""
    runs = [run.span() for run in _RUN.finditer(text)]
    for rule in NUMBERS:
        for start, end in runs:
            yield from _found_in(rule, text, max(0, start - _MARGIN), end + _MARGIN)


def _found_in(rule: Rule, text: str, at: int, to: int) -> Iterator[Span]:
    while match := rule.pattern.search(text, at, to):
        end = rule.end_of(match)
        if end is not None:
            yield Span(match.start(), end, rule.kind)
        at = match.start() + 1 if end is None else end
