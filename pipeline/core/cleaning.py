"""Removes markup, entities, control characters and extra white space from texts.

Training and serving call the one function: a request is read as a row of the data was. So it needs the
standard library alone, and no text that a client may send makes it slow or holds the interpreter long.

The rules have a number. Rules 1 read entities before tags and keep most invisible characters. Rules 2 read
tags first, so that `Use &lt;p&gt;` keeps its word, and take out what shows nothing (docs/adr/0037). By rules 3
a clean text is cleaned to itself (docs/adr/0043).
"""

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby

from pipeline.core.invisible import IGNORED, without_idle_joiners
from pipeline.core.markup import MARKUP
from pipeline.core.plain_texts import class_of, is_plain

CLEANING = 3
"""The number of the newest rules, which a bundle writes down: 0 is no cleaning. A change of what `clean`
returns needs the next number, and the old rules for the bundles that name them (tests/core/test_cleaning.py)."""

_JUDGED = 10_000
"""Characters from the start of a text that decide whether its markup was escaped, and how it is broken into lines."""
_SPACES = re.compile("  +")
_BLANK_LINES = re.compile(r"\n\s*\n")
# A code point in 0x80–0x9f is a Windows-1252 byte decoded as Latin-1 (HTML 5 assumes the same of
# numeric references): 0x85 is an ellipsis, 0x96 a dash.
_CONTROLS: dict[int, str | None] = {
    **{code: " " for code in range(0x20) if chr(code) not in "\n\v"},
    0x0B: " ",
    0x7F: " ",
    **{code: bytes([code]).decode("windows-1252", "ignore") or " " for code in range(0x80, 0xA0)},
    **dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)),
}
_SEEN = {**IGNORED, **_CONTROLS}
_TABLES = {1: _CONTROLS, 2: _SEEN, 3: _SEEN}
"""Number of the rules → what stands in a text for a control character, or for one that shows nothing."""
_CHANGED = {rules: re.compile(class_of(table)) for rules, table in _TABLES.items()}
_FEW = 8
"""Different characters that are replaced one after the other; `str.translate` takes longer than so many."""
_LONG_RUN = re.compile(r"[^\w\s\x00-\x7f]{32,}")
_PIECE = 8192
"""Characters for which one call of the standard library takes a few milliseconds at most."""


def clean(text: str, *, rules: int = CLEANING) -> str:
    """The text as a person sees it: NFC, one space between words, one line per paragraph.

    Args:
        rules: number of the rules; a bundle names those that it learned by.
    """
    raw, was_escaped = text, _was_escaped(text, rules)
    plain = is_plain(text)
    if not plain:
        text = _without_controls(text, rules)
        plain = is_plain(text)
    plain = plain and "&" not in text  # an entity may stand for any character
    if was_escaped:
        text = _unescaped(text, rules)
    if "<" in text:
        text = _without_tags(_with_breaks(text, rules), rules)
    if not plain:
        text = _composed(_without_joiners(text, rules))
    if (
        rules > 2
        and "\n" in text
        and not _has_paragraphs(raw, was_escaped=was_escaped, rules=rules)
    ):
        text = text.replace("\n", "\v")
    text = _in_lines(text, plain=plain)
    return _as_words(text, rules) if rules > 2 else text


def clean_start(text: str, characters: int, *, rules: int = CLEANING) -> str:
    """A text with which `clean(text)` starts, found by reading its first `characters` alone.

    What may still become another thing is left off: a tag or an entity that is not closed, and the
    last character, which a mark could follow. What decides for all of a text is read in any case.
    """
    if characters >= len(text):
        return clean(text, rules=rules)
    was_escaped = _was_escaped(text, rules)
    start = _without_controls(text[:characters], rules)
    if was_escaped:
        start = _unescaped(_without_open_entity(start, rules), rules)
    start = _without_open_tag(start, rules)
    # A line break inside a tag is no longer one of its `<`: the tag may be open after that only.
    start = _without_tags(_without_open_tag(_with_breaks(start, rules), rules), rules)
    if rules > 1:
        start = _without_joiners(_without_open_entity(start, rules), rules)
    end = len(start) - 1
    while end > 0 and _joins(start[end]):
        end -= 1
    start = _composed(start[: max(end, 0)])
    if rules < 3:
        return _in_lines(start)
    if "\n" in start and not _has_paragraphs(text, was_escaped=was_escaped, rules=rules):
        start = start.replace("\n", "\v")
    start = _without_open_entity(_without_open_tag(_in_lines(start), rules), rules)
    return _as_words(start, rules).rstrip()


def _was_escaped(text: str, rules: int) -> bool:
    """Whether a page was escaped as a whole, its tags too, as in `Good.&lt;br /&gt;`.

    Otherwise an escaped tag is a word, as HTML has it. The start of a long text decides for all of it.
    By rules 1 every text is read as escaped.
    """
    if rules == 1:
        return True
    start, markup = text[:_JUDGED], MARKUP[rules]
    if (
        "&" not in start
        or not markup.escaped_less.search(start)
        or not markup.escaped.search(start)
    ):
        return False
    return markup.any_tag.search(start) is None


def _has_paragraphs(text: str, *, was_escaped: bool, rules: int) -> bool:
    """Whether blank lines or tags say where a text is broken, so that a line break alone is a space.

    Otherwise each line break is one, as in what cleaning returns. The start of a long text decides for all of it.
    """
    start, markup = text[:_JUDGED].strip(), MARKUP[rules]
    if was_escaped:
        start = _unescaped(start, rules)
    return any(pattern.search(start) for pattern in (_BLANK_LINES, markup.any_tag))


def _without_joiners(text: str, rules: int) -> str:
    """The text with the characters of its entities, and by rules 2 or more without joiners that change nothing."""
    if rules == 1:
        return text
    text = _unescaped(text, rules)
    if rules == 2:
        return without_idle_joiners(text)
    # What a joiner changes depends on the character before it, as it is once composed.
    return without_idle_joiners(_composed(text), past_marks=True)


def _as_words(text: str, rules: int) -> str:
    """The text in which nothing can be read as a tag or an entity: a space follows its `<` or `&`."""
    markup = MARKUP[rules]
    if "<" in text:
        text = _in_pieces(text, "<", partial(markup.any_tag.sub, _apart))
    if "&" in text:
        text = _in_pieces(text, "&", partial(markup.entity.sub, _apart))
    return text


def _apart(found: "re.Match[str]") -> str:
    """A tag or an entity with a space after its first character; what only looks like an entity as it is."""
    text = found[0]
    if text[0] == "&" and html.unescape(text) == text:
        return text
    return f"{text[0]} {text[1:]}"


def _without_controls(text: str, rules: int) -> str:
    if len(text) <= _PIECE:
        return _translated(text, rules)
    pieces = range(0, len(text), _PIECE)
    return "".join([_translated(text[at : at + _PIECE], rules) for at in pieces])


def _translated(text: str, rules: int) -> str:
    """Returns `text.translate` of the table, which alone would look up each character in turn."""
    table, changed = _TABLES[rules], {*_CHANGED[rules].findall(text)}
    if len(changed) > _FEW:
        return text.translate(table)
    for character in changed:  # none becomes another one of the table
        text = text.replace(character, table[ord(character)] or "")
    return text


def _unescaped(text: str, rules: int) -> str:
    return _in_pieces(
        text, "&", partial(MARKUP[rules].entity.sub, partial(_character, rules=rules))
    )


def _character(entity: "re.Match[str]", *, rules: int) -> str:
    """Returns what an entity stands for; since rules 2 an invisible character is taken out here too.

    By rules 3 one that was escaped again, as the apostrophe of `don&amp;#39;t`, is the same.
    """
    found = html.unescape(f"&{entity[1]}")
    return found if rules == 1 else _without_controls(found, rules)


def _without_open_entity(text: str, rules: int) -> str:
    markup = MARKUP[rules]
    tail = text[-markup.longest_entity :]
    found = markup.open_entity.search(tail)
    return text[: len(text) - len(tail) + found.start()] if found else text


def _with_breaks(text: str, rules: int) -> str:
    return _in_pieces(text, "<", partial(MARKUP[rules].breaks.sub, "\v"))


def _without_tags(text: str, rules: int) -> str:
    return _in_pieces(text, "<", partial(MARKUP[rules].tags.sub, ""))


def _in_pieces(text: str, opening: str, change: Callable[[str], str]) -> str:
    """Returns what `change` makes of the text, in pieces that begin with `opening`, as its matches do.

    Another thread can take its turn between two pieces, which it cannot within one.
    """
    if len(text) <= _PIECE:
        return change(text) if opening in text else text
    return "".join([change(piece) for piece in _pieces(text, opening)])


def _pieces(text: str, opening: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE and (end := text.find(opening, start + _PIECE)) >= 0:
        yield text[start:end]
        start = end
    yield text[start:]


def _without_open_tag(text: str, rules: int) -> str:
    last = text.rfind("<")
    return text[:last] if last >= 0 and MARKUP[rules].open_tag.match(text, last) else text


def _composed(text: str) -> str:
    """The text in NFC. A long run of marks is put in order first: `unicodedata` is quadratic in it."""
    if not text.isascii():
        text = _LONG_RUN.sub(_ordered, text)
    return unicodedata.normalize("NFC", text)


def _ordered(run: "re.Match[str]") -> str:
    """Returns the marks in canonical order, decomposed: equal to the run once composed."""
    decomposed = [mark for character in run[0] for mark in unicodedata.normalize("NFD", character)]
    groups = groupby(decomposed, key=lambda mark: unicodedata.combining(mark) > 0)
    return "".join(
        mark for are_marks, group in groups for mark in (_by_class(group) if are_marks else group)
    )


def _by_class(marks: Iterable[str]) -> Iterator[str]:
    """The marks in order of their classes; a sort of them all would be one long call."""
    classes = defaultdict[int, list[str]](list)
    for mark in marks:
        classes[unicodedata.combining(mark)].append(mark)
    for number in sorted(classes):
        yield from classes[number]


def _joins(character: str) -> bool:
    """Whether a character may melt with the one before it: a mark, or the later part of a syllable."""
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark or "\u1161" <= character <= "\u1175" or "\u11a8" <= character <= "\u11c2"


def _in_lines(text: str, *, plain: bool = False) -> str:
    """The text in lines with one space between words; a plain one often has no other blanks."""
    if plain and not ("\n" in text or "\t" in text or "\r" in text):
        if "  " in text:
            text = _SPACES.sub(" ", text)
        if "\v" not in text:
            return text.strip(" ")
        lines = [part.strip(" ") for part in text.split("\v")]
    else:
        lines = [" ".join(part.split()) for part in _paragraphs(text)]
    return "\n".join(filter(None, lines))


def _paragraphs(text: str) -> Iterator[str]:
    for part in text.split("\v"):
        start = 0
        for gap in _BLANK_LINES.finditer(part):
            yield part[start : gap.start()]
            start = gap.end()
        yield part[start:]
