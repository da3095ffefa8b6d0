r"""Letters and words of every script, as copies, leaks and baselines all take them.

Python's `\w` has no combining marks, so it would cut the words of Hindi, Tamil or Thai at their vowel
signs. And it has the Hangul fillers, letters that nobody sees.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_FILLERS = "\u115f\u1160\u3164\uffa0"
# Default_Ignorable_Code_Point of Unicode, without the fillers and the joiners U+200C and U+200D.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_FILLERS}{_INVISIBLE}]")
_PLAIN_WORD = re.compile(r"\w+", re.ASCII)
_MARKS = ("Mn", "Mc")


def visible(text: str) -> str:
    """The text without invisible characters; Hangul fillers, which look like blanks, are blanks.

    Joiners stay: they show in the form of the letters beside them.
    """
    return _UNSEEN.sub(lambda found: " " if found[0] in _FILLERS else "", text)


def has_letter(text: str) -> bool:
    """Whether a text has a letter or a digit that is seen."""
    return any(character.isalnum() and character not in _FILLERS for character in text)


def words(text: str) -> list[str]:
    """The words of a text, in order (see `word_pattern`)."""
    return (_PLAIN_WORD if text.isascii() else word_pattern()).findall(text)


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
    marks = {
        code
        for code in codes
        if unicodedata.category(chr(code)) in _MARKS and not _UNSEEN.match(chr(code))
    }
    firsts, lasts = marks - {code + 1 for code in marks}, marks - {code - 1 for code in marks}
    ends = zip(sorted(firsts), sorted(lasts), strict=True)
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ends)}]"
