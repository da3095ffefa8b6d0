"""Measures how much of texts a checkpoint's tokenizer reads as words, and not letter by letter.

A vocabulary that was made from one language has the single letters of many others: it spells their
words, nothing of them is unknown, and a model that never saw them learns little more than from noise.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache

from tokenizers import Tokenizer

_CONTINUATIONS = ("##", "▁", "Ġ")
_WORDS_OF_ONE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL SYLLABLE")
"""Characters that can be a word by themselves, as Unicode begins their names. A vocabulary that was not made from
Korean has the single letters of Hangul, which are others."""


def known_letters(tokenizer: Tokenizer, texts: Sequence[str], *, unknown: str | None) -> float:
    """The share of the letters that stand in tokens of two or more, or are a word by themselves; 1 without letters.

    Args:
        tokenizer: one that neither pads nor cuts off (`pipeline.text.unknown.bare`).
        unknown: its unknown token, if it has one.
    """
    letters = known = 0
    for text, encoding in zip(
        texts, tokenizer.encode_batch([*texts], add_special_tokens=False), strict=True
    ):
        for token, span in zip(encoding.tokens, encoding.offsets, strict=True):
            piece = text[slice(*span)] if token == unknown else _bare(token)
            count = sum(map(_is_letter, piece))
            letters += count
            if token != unknown and (count > 1 or (count and _is_word(piece))):
                known += count
    return known / letters if letters else 1.0


def _bare(token: str) -> str:
    for mark in _CONTINUATIONS:
        token = token.removeprefix(mark)
    return token


@cache
def _is_letter(character: str) -> bool:
    """Whether it is a letter, or a mark that belongs to one."""
    return unicodedata.category(character)[0] in "LM"


@cache
def _is_word(piece: str) -> bool:
    return unicodedata.name(piece[0], "").startswith(_WORDS_OF_ONE)
