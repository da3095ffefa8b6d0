"""Removes markup, entities, control characters and extra white space from texts."""

import html
import re
import unicodedata

# Block-level tags become line breaks, so that no sentence runs across them; other HTML tags are
# removed. Anything that is not an HTML tag stays: `<3`, `a < b`, `<grin>` are text. The possessive
# `*+` keeps every pattern linear on long runs of spaces.
_BREAKS = re.compile(
    r"<\s*+(?:/\s*+)?(?:br|p|div|li|ul|ol|tr|table|h[1-6]|hr|blockquote)\b[^<>]*+>", re.IGNORECASE
)
_TAGS = re.compile(
    r"<\s*+(?:/\s*+)?(?:a|b|i|u|s|em|strong|span|font|small|big|sub|sup|td|th|img|code|pre|center|q|cite)"
    r"\b[^<>]*+>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_PARAGRAPH = re.compile(r"\n\s*\n|\v")
_WORD = re.compile(r"\w+")
# A code point in 0x80–0x9f is a Windows-1252 byte decoded as Latin-1 (HTML 5 assumes the same of
# numeric references): 0x85 is an ellipsis, 0x96 a dash.
_CONTROLS: dict[int, str | None] = {
    **{code: " " for code in range(0x20) if chr(code) not in "\n\v"},
    0x0B: " ",
    0x7F: " ",
    **{code: bytes([code]).decode("windows-1252", "ignore") or " " for code in range(0x80, 0xA0)},
    **dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)),
}


def clean(text: str) -> str:
    """The text as a person sees it: NFC, one space between words, one line per paragraph."""
    text = text.translate(_CONTROLS)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "<" in text:
        text = _TAGS.sub("", _BREAKS.sub("\v", text))
    paragraphs = _PARAGRAPH.split(unicodedata.normalize("NFC", text))
    return "\n".join(words for part in paragraphs if (words := " ".join(part.split())))


def bare_words(text: str) -> str:
    """The case-folded words of a text, joined by spaces: equal for copies that differ in form."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
