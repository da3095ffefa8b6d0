"""Patterns of HTML tags and entities, by the numbers of the rules of cleaning (cleaning.py).

Block-level tags become line breaks, so that no sentence runs across them; other HTML tags are removed.
Anything that is not an HTML tag stays: `<3`, `a < b`, `<grin>` are text. The possessive `*+` keeps every
pattern linear on long runs of spaces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BREAK_NAMES = r"(?:br|p|div|li|ul|ol|tr|table|h[1-6]|hr|blockquote)"
_TAG_NAMES = r"(?:a|b|i|u|s|em|strong|span|font|small|big|sub|sup|td|th|img|code|pre|center|q|cite)"
_NAMES = rf"(?:{_BREAK_NAMES}|{_TAG_NAMES})"
_CHARACTER = r"(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """The markup that some rules know.

    Attributes:
        breaks: a tag that becomes a line break; `tags`: one that is taken out; `any_tag`: either.
        entity: a character, whose number or name with the semicolon is its group 1.
        open_tag: the end of a text that may become a tag once more text follows.
        open_entity: an end that may become an entity; it begins in the last `longest_entity` characters.
        escaped: an escaped tag that marks something up, and is not only named.
        escaped_less: the `<` of an escaped tag.
    """

    breaks: re.Pattern[str]
    tags: re.Pattern[str]
    any_tag: re.Pattern[str]
    entity: re.Pattern[str]
    open_tag: re.Pattern[str]
    open_entity: re.Pattern[str]
    longest_entity: int
    escaped: re.Pattern[str]
    escaped_less: re.Pattern[str]


def _markup(*, before: str, after: str, again: str, again_open: str, longest_entity: int) -> Markup:
    """The patterns of some rules.

    Args:
        before: what may stand between the `<` of a tag and its name or `/`.
        after: what must follow a tag's name.
        again: how often an entity may have been escaped once more, as in `&amp;lt;`.
        again_open: the same at the end of a text, where that may have been all.
        longest_entity: characters of the longest entity that is not closed.
    """
    opening = rf"<{before}(?:/\s*+)?"
    less = rf"&{again}(?:lt|LT|#0{{0,4}}60|#[xX]0{{0,4}}3[cC]);"
    more = rf"&{again}(?:gt|GT|#0{{0,4}}62|#[xX]0{{0,4}}3[eE]);"
    return Markup(
        breaks=re.compile(rf"{opening}{_BREAK_NAMES}{after}[^<>]*+>", re.IGNORECASE),
        tags=re.compile(rf"{opening}{_TAG_NAMES}{after}[^<>]*+>", re.IGNORECASE),
        any_tag=re.compile(rf"{opening}{_NAMES}{after}[^<>]*+>", re.IGNORECASE),
        entity=re.compile(f"&{again}({_CHARACTER})"),
        open_tag=re.compile(rf"{opening}(?:[a-z0-9]*+|{_NAMES}{after}[^<>]*+)\Z", re.IGNORECASE),
        open_entity=re.compile(rf"&{again_open}#?[0-9a-zA-Z]{{0,32}}\Z"),
        longest_entity=longest_entity,
        # It closes itself, or it ends a word or a sentence.
        escaped=re.compile(
            rf"[\w.!?…)]{less}(?:/\s*+{_NAMES}|[bh]r)\b[^&<>]*+{more}"
            rf"|{less}{_NAMES}\b[^&<>/]*+/\s*+{more}",
            re.IGNORECASE,
        ),
        escaped_less=re.compile(less, re.IGNORECASE),
    )


_OLD = _markup(before=r"\s*+", after=r"\b", again="", again_open="", longest_entity=34)
_NEW = _markup(
    before="",
    after=r"(?=[\s/>\\])",
    again="(?:amp;){0,3}",
    again_open="(?:amp;){0,4}",
    longest_entity=50,
)
MARKUP: Mapping[int, Markup] = {1: _OLD, 2: _OLD, 3: _NEW}
"""Number of the rules → their patterns."""
