"""Finds how much of a long text a model can possibly read, so that the rest costs nothing.

A legal request may hold a text of a megabyte, of which a model reads 128 tokens. To tokenize all of it
would take a hundred times the memory of the model, and hold the interpreter while probes wait. Here
ever longer parts are tokenized until enough of their tokens are certain to be those of the whole text:
a token is, if its word ends well before the part does.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from pipeline.core.cleaning import clean, clean_start

_MARGIN = 64
"""Characters beside a cut whose tokens are not believed: more than a tokenizer looks around."""

CHARACTERS_A_TOKEN = 8
"""Characters in which a token is hoped for; of a shorter text all is read."""
_GROWTH = 4
_LONG = 16_384
"""Characters from which a text is tokenized without holding the interpreter, one text at a time."""

_one_at_a_time = threading.Lock()

Beginning = Callable[[int], str]
"""Gives at least so many characters of a text, from its start; all of it where it is shorter."""


@dataclass(frozen=True)
class Part:
    """A part of a text from its start, and whether it is the whole text."""

    text: str
    whole: bool


def beginning_of(text: str, *, cleaning: int) -> Beginning:
    """Gives the text from its start: as it is, or as `clean` makes it from as little of it as it takes.

    Args:
        cleaning: number of the rules of cleaning; 0 for the text as it is.
    """
    if not cleaning:
        return lambda _: text
    return lambda characters: _clean_beginning(text, characters, rules=cleaning)


def longest_read_whole(tokens: int) -> int:
    """Characters up to which a text is not cut before its first `tokens` tokens are looked for."""
    return CHARACTERS_A_TOKEN * tokens + 2 * _MARGIN


def head(tokenizer: Tokenizer, beginning: Beginning, *, tokens: int) -> Part:
    """A part from the start of a text with at least its first `tokens` tokens, or the whole text."""
    size = longest_read_whole(tokens)
    while True:
        text = beginning(size + 1)
        if len(text) <= size:
            return Part(text, whole=True)
        found = encode(tokenizer, text[:size])
        if _certain_from_start(found, size - _MARGIN) >= tokens:
            return Part(text[:size], whole=False)
        size *= _GROWTH


def tail(tokenizer: Tokenizer, text: str, *, tokens: int) -> list[int]:
    """Ids of the last `tokens` tokens of a text, or of all where it has fewer."""
    size = CHARACTERS_A_TOKEN * tokens + 2 * _MARGIN
    while size < len(text):
        # A part that begins with white space has the same words there as the whole text.
        start = len(text) - size
        while start < len(text) and not text[start].isspace():
            start += 1
        encoding = encode(tokenizer, text[start:])
        if _certain_from_end(encoding, _MARGIN) >= tokens:
            return list(encoding.ids[-tokens:])
        size *= _GROWTH
    return list(encode(tokenizer, text).ids[-tokens:])


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """The tokens of a text without special ones."""
    return encode_request(tokenizer, [text], special=False)


def encode_request(tokenizer: Tokenizer, texts: Sequence[str], *, special: bool = True) -> Encoding:
    """The tokens of a text, or of the two texts of a pair, with their special ones."""
    first, second = texts[0], texts[1] if len(texts) > 1 else None
    if sum(map(len, texts)) < _LONG:
        return tokenizer.encode(first, second, add_special_tokens=special)
    # `encode` holds the interpreter, `encode_batch` does not.
    request = first if second is None else (first, second)
    with _one_at_a_time:
        return tokenizer.encode_batch([request], add_special_tokens=special)[0]


def _clean_beginning(text: str, characters: int, *, rules: int) -> str:
    size = characters + _MARGIN
    while size < len(text):
        found = clean_start(text, size, rules=rules)
        if len(found) >= characters:
            return found
        size *= _GROWTH
    return clean(text, rules=rules)


def _certain_from_start(encoding: Encoding, end: int) -> int:
    """How many tokens stand in words that end at `end` or before, up to the first that does not."""
    words, ends = encoding.word_ids, [place for _, place in encoding.offsets]
    number = next((at for at, place in enumerate(ends) if place > end), len(words) - 1)
    while number > 0 and words[number - 1] == words[number]:
        number -= 1
    return max(number, 0)


def _certain_from_end(encoding: Encoding, start: int) -> int:
    """How many tokens stand in words that start at `start` or later, down to the first that does not."""
    words, starts = encoding.word_ids, [place for place, _ in encoding.offsets]
    early = [at for at, place in enumerate(starts) if place < start]
    number = early[-1] + 1 if early else 0
    while 0 < number < len(words) and words[number] == words[number - 1]:
        number += 1
    return len(words) - number
