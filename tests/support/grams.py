"""The grams of a text in plain Python, which those of pipeline/data/gram_sets.py have to equal."""

import unicodedata
from collections.abc import Sequence

import numpy as np

from pipeline.data.gram_sets import Numbers, commonness, gram_sets
from pipeline.data.text_characters import Rows, Texts

_DENSE = ("HANGUL SYLLABLE", "CJK", "HIRAGANA", "KATAKANA")


def grams(text: str) -> set[str]:
    """Every 5 characters in a row, or 2 where one of the two is a Hangul syllable, a Han letter or kana.

    A text shorter than a gram is its own only gram. Where one of its last 5 characters is such a letter,
    shorter grams at its end count too.
    """
    dense = [unicodedata.name(character, "").startswith(_DENSE) for character in text]
    shortest = 2 if any(dense[-5:]) else 5
    return {
        text[n : n + (2 if any(dense[n : n + 2]) else 5)]
        for n in range(max(len(text) - shortest + 1, 1))
    }


def likeness(first: str, second: str) -> float:
    """The Jaccard similarity of the grams of two texts, 0 to 1."""
    one, other = grams(first), grams(second)
    return len(one & other) / len(one | other)


def sets_of(texts: Sequence[str], *, among: Sequence[str] | None = None) -> tuple[Numbers, Rows]:
    """The sets of grams as `gram_sets` gives them, by how common grams are among these or other texts."""
    own, whole = Texts(texts), Texts(texts if among is None else among)
    return gram_sets(own.characters(np.arange(len(texts))), own.lengths, commonness(whole))
