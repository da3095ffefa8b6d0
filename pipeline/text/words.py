"""Finds the tokens of a vocabulary that start a word, for WordPiece and byte-level BPE."""

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

_CONTINUES = "##"
"""WordPiece's prefix of tokens that continue a word."""

_SPACE = "Ġ"
"""Byte-level BPE's letter for a space, which is the first character of the word after it."""


def word_starts(tokenizer: PreTrainedTokenizerBase) -> NDArray[np.bool_]:
    """Whether each token starts a word, `(vocabulary,)`; a punctuation mark is a word.

    If tokens contain spaces, the vocabulary is byte-level BPE: words start with a space or are
    punctuation. Otherwise it is WordPiece: all tokens start a word except marked continuations.
    """
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    if any(token.startswith(_SPACE) for token in tokens):
        starts = [token.startswith(_SPACE) or _is_mark(token) for token in tokens]
    else:
        starts = [not token.startswith(_CONTINUES) for token in tokens]
    return np.array(starts, dtype=np.bool_)


def _is_mark(token: str) -> bool:
    """Whether a token starts with ASCII punctuation; other bytes are shown as letters."""
    return token[0].isascii() and not token[0].isalnum()
