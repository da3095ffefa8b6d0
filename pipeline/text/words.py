"""Which tokens of a vocabulary begin a word, for WordPiece and for bytes' BPE."""

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

_CONTINUES = "##"
"""WordPiece writes it before what does not begin a word."""

_SPACE = "Ġ"
"""Bytes' BPE writes a space as this letter, at the head of the word that follows it."""


def word_starts(tokenizer: PreTrainedTokenizerBase) -> NDArray[np.bool_]:
    """Whether each token begins a word (a mark of punctuation is one), `(vocabulary,)`.

    A vocabulary without spaces in its tokens is WordPiece's: there all begin a word but those that say
    they continue one. Else those do that hold a space or begin with no letter, digit or part of one.
    """
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    if any(token.startswith(_SPACE) for token in tokens):
        starts = [token.startswith(_SPACE) or _is_mark(token) for token in tokens]
    else:
        starts = [not token.startswith(_CONTINUES) for token in tokens]
    return np.array(starts, dtype=np.bool_)


def _is_mark(token: str) -> bool:
    """ASCII punctuation: longer characters are written as letters that stand for their bytes."""
    return token[0].isascii() and not token[0].isalnum()
