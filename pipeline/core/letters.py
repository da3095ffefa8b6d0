r"""Letters and words of every script, as copies, leaks and baselines all take them.

Python's `\w` has no combining marks, so it would cut the words of Hindi, Tamil or Thai at their vowel
signs. And it has the Hangul fillers, letters that nobody sees.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from pipeline.core.invisible import IGNORED, SELECTORS
from pipeline.core.plain_texts import class_of, is_plain

_PLAIN_WORD = re.compile(r"\w+", re.ASCII)
_WORD = re.compile(r"\w+")
_MARKS = ("Mn", "Mc")
_UNSEEN_LETTERS = frozenset(filter(str.isalnum, map(chr, {*IGNORED, *SELECTORS})))


def visible(text: str) -> str:
    """The text without invisible characters; Hangul fillers, which look like blanks, are blanks.

    Joiners stay: they show in the form of the letters beside them.
    """
    if is_plain(text):
        return text
    return _unseen().sub(lambda found: IGNORED.get(ord(found[0])) or "", text)


def has_letter(text: str) -> bool:
    """Whether a text has a letter or a digit that is seen."""
    for character in text:  # noqa: SIM110 - mostly the first one is: `any` takes longer to start
        if character.isalnum() and character not in _UNSEEN_LETTERS:
            return True
    return False


def words(text: str) -> list[str]:
    """The words of a text, in order (see `word_pattern`)."""
    if text.isascii():
        return _PLAIN_WORD.findall(text)
    # Without marks and joiners, words are what `\w` has.
    return (_WORD if is_plain(text) else word_pattern()).findall(text)


@cache
def _unseen() -> re.Pattern[str]:
    """A pattern of one character that shows nothing; joiners are none."""
    return re.compile(class_of({*IGNORED, *SELECTORS}))


@cache
def word_pattern() -> re.Pattern[str]:
    """A pattern of words: letters, digits and `_`, each with its combining marks.

    A joiner is part of a word after a mark, where it can change the word (as in Malayalam), and
    between two Arabic letters.
    """
    joiner = "[\u200c\u200d]"
    joined = rf"{mark_pattern()}{joiner}*+|(?<=[\u0600-\u08ff]){joiner}(?=[\u0600-\u08ff])"
    return re.compile(rf"\w++(?:(?:{joined})\w*+)*+")


@cache
def mark_pattern() -> str:
    """A pattern, as text, of one combining mark that is seen (Mn or Mc of Unicode)."""
    # A class of characters below and above U+FFFF would be slow: two are quick.
    low, high = _class(range(0x10000)), _class(range(0x10000, 0x20000))
    return rf"(?:{low}|(?=[\U00010000-\U0001ffff]){high})"


def _class(codes: Iterable[int]) -> str:
    """`[…]` of the marks among the code points. Planes from the third on have invisible ones alone."""
    unseen = _unseen()
    return class_of(
        {
            code
            for code in codes
            if unicodedata.category(chr(code)) in _MARKS and not unseen.match(chr(code))
        }
    )
