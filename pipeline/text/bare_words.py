"""The bare words of a text, by which copies are found, and its symbols, by which they are told apart."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np

from pipeline.core.letters import visible, word_pattern, words

# Eyes and a mouth, either way round: `:)` `;-(` `:'(` `=D`, and `(:` after a blank.
_EMOTICON = r"[:;=][-o^'’]?(?:[()\[\]/\\|*]+|[dpo3](?!\w))|(?<!\S)[()\[\]]+[-o^'’]?[:;=]"
# Small letters and whole syllables: words are runs of them, and no step of folding changes one.
_LETTERS = "\xe0-\xf6\xf8-\xff\u0430-\u045f\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
# Marks that are in no word, folded or not.
_MARKS = (
    "\xa1\xa7\xab\xb0\xb7\xbb\xbf\u2010-\u2016\u2018-\u2022\u2026\u203b\u2605\u2606\u2661\u2665"
    "\u3001-\u3003\u3008-\u3011\uff01\uff0c\uff1f\uff5e"
)
_MARK = re.compile(f"[{_MARKS}]")
_NO_LETTER = re.compile(f"[^\0-\x7f{_LETTERS}]")
_NEITHER = re.compile(f"[^\0-\x7f{_LETTERS}{_MARKS}]")
# In UTF-8 a byte below 128 is a character of ASCII, and nothing else.
_FOLDED_BYTES = bytes(
    code if code > 127 or chr(code) in "_" or chr(code).isalnum() else 32 for code in range(256)
).lower()
"""Byte of UTF-8 → itself, its small letter, or a blank for what is in no word."""
_BLANK, _END = ord(" "), b"\xff"
"""The end of a text is a byte that UTF-8 never has."""
_SYMBOL_MARKS = "#%&@"
"""Symbols that Unicode takes for punctuation."""

_NO_SYMBOLS = {"`", *map(chr, range(0x1F3FB, 0x1F400))}
"""A quotation mark of typewriters; and skin tones, which change no meaning."""


def bare_words(text: str) -> str:
    """The case-folded words of a text, joined by spaces: equal for copies that differ in form.

    A word is one of `pipeline.core.letters`: combining marks stay with their letters.
    """
    return " ".join(_without_marks(text).encode().translate(_FOLDED_BYTES).decode().split())


def bare_words_of(texts: Sequence[str]) -> list[bytes]:
    """The bare words of each text in UTF-8, in less time than one text after the other takes."""
    if not len(texts):
        return []
    lines = _END.join([_without_marks(text).encode() for text in texts])
    codes = np.frombuffer(lines.translate(_FOLDED_BYTES), dtype=np.uint8)
    kept = codes != _BLANK
    kept[1:] |= kept[:-1].copy()  # the first blank of a run
    return [words.strip(b" ") for words in codes[kept].tobytes().split(_END)]


def bare_lines(texts: Sequence[str], seconds: Sequence[str | None]) -> list[bytes]:
    """The bare words of rows in UTF-8, one line for each text of a row.

    Args:
        seconds: the second text of each pair; None for a row of one text.
    """
    lines = bare_words_of(texts)
    pairs = [row for row, text in enumerate(seconds) if text is not None]
    for row, line in zip(pairs, bare_words_of([seconds[row] or "" for row in pairs]), strict=True):
        lines[row] += b"\n" + line
    return lines


def _without_marks(text: str) -> str:
    """A text in which only characters of ASCII need to be folded, or be taken for blanks."""
    if text.isascii() or not (found := _NO_LETTER.search(text)):
        return text
    if _NEITHER.search(text, found.start()):
        return " ".join(words(_folded(text)))
    return _MARK.sub(" ", text)


def words_and_symbols(text: str) -> str:
    """The bare words of a text with its emoji, emoticons and symbols such as `+` and `#`, in order.

    Texts with equal bare words and others of these may mean different things: `C++` and `C#`,
    `Good :)` and `Good :(`. Variation selectors and skin tones do not count.
    """
    found = (match for match in _pieces().finditer(_folded(text)))
    return " ".join(m[0] for m in found if m.lastgroup or _is_symbol(m[0]))


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", visible(text)).casefold()


@cache
def _pieces() -> re.Pattern[str]:
    """A pattern of emoticons and words, which have names, and of all other characters that are seen."""
    return re.compile(rf"(?P<emoticon>{_EMOTICON})|(?P<word>{word_pattern().pattern})|\S")


def _is_symbol(character: str) -> bool:
    is_symbol = character in _SYMBOL_MARKS or unicodedata.category(character).startswith("S")
    return is_symbol and character not in _NO_SYMBOLS
