"""How much a text says, counted in words, also where a script has no blanks between words.

Thai, Lao, Khmer, Burmese, Japanese and Chinese are written without blanks, and a Korean word has the
particles and endings in it that are words of their own in English. Their letters are counted: so many
of them say about what one English word says.
"""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.core.letters import mark_pattern

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
# Class SA of Unicode's line breaking: Burmese and Khmer, whose vowels are marks; Thai, Lao and the Tai scripts.
_BURMESE_KHMER = (
    "\u1000-\u103f\u1050-\u108f\u109a-\u109f\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f\u1780-\u17dd"
)
_THAI_LAO = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1950-\u19df\u1a20-\u1aad\uaa80-\uaadf"
    "\U00011700-\U00011746"
)
_HANGUL = "\uac00-\ud7a3"

_LETTERS_OF_A_WORD = {"han": 1.5, "kana": 2.0, "burmese_khmer": 2.0, "thai_lao": 2.5, "hangul": 2.5}
_HANGUL_WORDS_OF_A_WORD = 0.75
_DIGITS = 6
"""Sums are rounded to as many digits, so that six letters of two thirds of a word are four words."""

_WITHOUT_BLANKS = _HAN + _KANA + _BURMESE_KHMER + _THAI_LAO
_UNBROKEN = re.compile(f"[{_WITHOUT_BLANKS}]")
_DENSE = _HAN + _KANA + _HANGUL
_DENSE_LETTER = re.compile(f"[{_DENSE}]")
_RANGES = re.findall("(.)-(.)", _DENSE)
_DENSE_BOUNDS = np.array(
    sorted(bound for first, last in _RANGES for bound in (ord(first), ord(last) + 1)),
    dtype=np.uint32,
)
"""The first letter of each range, and the one after its last."""

_COUNTED = re.compile(f"[{_WITHOUT_BLANKS}{_HANGUL}]")
_RUNS = re.compile(
    f"(?P<han>[{_HAN}]+)|(?P<kana>[{_KANA}]+)|(?P<burmese_khmer>[{_BURMESE_KHMER}]+)"
    f"|(?P<thai_lao>[{_THAI_LAO}]+)|(?P<hangul>[{_HANGUL}]+)|[^ {_WITHOUT_BLANKS}{_HANGUL}]+"
)


def word_count(text: str) -> float:
    """About how many words an English text has that says as much.

    The number of words where they stand between blanks. Of Han letters 1.5 count as a word; of kana,
    Burmese and Khmer letters 2; of Thai and Lao letters and Hangul syllables 2.5. Three words in
    Hangul count as four at least.

    Args:
        text: in the form of `bare_words`.
    """
    if not _COUNTED.search(text):
        return text.count(" ") + 1 if text else 0
    letters = dict.fromkeys(_LETTERS_OF_A_WORD, 0)
    others = hangul_words = 0
    for run in _RUNS.finditer(text):
        if script := run.lastgroup:
            # Combining marks are no letters of their own.
            letters[script] += sum(map(str.isalnum, run[0]))
            hangul_words += script == "hangul"
        else:
            others += 1
    words = {name: count / _LETTERS_OF_A_WORD[name] for name, count in letters.items()}
    words["hangul"] = max(words["hangul"], hangul_words / _HANGUL_WORDS_OF_A_WORD)
    return round(others + sum(words.values()), _DIGITS)


def lacks_blanks(text: str) -> bool:
    """Whether a text has letters of a script that is written without blanks between words."""
    return _UNBROKEN.search(text) is not None


def with_blanks(text: str) -> str:
    """The text with a blank around each letter of a script that has none between words.

    Combining marks stay with their letters. Other texts are returned as they are.

    Args:
        text: in the form of `bare_words`.
    """
    if not lacks_blanks(text):
        return text
    return " ".join(_letters().sub(r" \g<0> ", text).split())


def has_dense_letter(text: str) -> bool:
    """Whether a text has a Hangul syllable, a Han letter or kana, each of which is a part of a word."""
    return _DENSE_LETTER.search(text) is not None


def dense_letters(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether each character is one that `has_dense_letter` looks for, `(characters,)`.

    Args:
        codes: the numbers of the characters in Unicode.
    """
    found = np.zeros(len(codes), dtype=np.bool_)
    # Texts in an alphabet have none of these, and cost two comparisons a character.
    places = np.flatnonzero((codes >= _DENSE_BOUNDS[0]) & (codes < _DENSE_BOUNDS[-1]))
    found[places] = np.searchsorted(_DENSE_BOUNDS, codes[places], side="right") % 2 == 1
    return found


@cache
def _letters() -> re.Pattern[str]:
    """A pattern of one letter of a script without blanks, with its marks."""
    return re.compile(rf"[{_WITHOUT_BLANKS}]{mark_pattern()}*+")
