"""Cuts texts of given lengths from test sentences."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from pipeline.core.paths import Paths
from pipeline.core.sections import PrepareParams
from pipeline.core.variants import TOKENIZER_FILE
from pipeline.runtime.reader import TextReader
from pipeline.training.labelled_rows import read_split

_TEXTS = 32
"""The number of texts of each length."""


def texts_by_tokens(paths: Paths, lengths: Iterable[int]) -> dict[int, list[str]]:
    """Texts cut from test sentences, by their number of the teacher's tokens."""
    tokenizer = Tokenizer.from_file(str(paths.read("finetune", "model", TOKENIZER_FILE)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    sentences = read_split(paths.read("prepare", "records.parquet"), "test").texts
    return {
        tokens: exact_texts(
            sentences,
            tokens=tokens,
            count=_TEXTS,
            length_of=lambda text: len(tokenizer.encode(text).ids),
        )
        for tokens in lengths
    }


def tokens_read(
    tokenizer: Path, settings: PrepareParams, texts: Mapping[int, list[str]]
) -> dict[int, float]:
    """The mean number of tokens that a model, with its own vocabulary and limit, reads."""
    reader = TextReader(
        tokenizer, max_length=settings.max_length, window_stride=settings.window_stride
    )
    return {
        tokens: float(np.mean([sum(len(row.ids) for row in reader.read(text)[0]) for text in some]))
        for tokens, some in texts.items()
    }


def exact_texts(
    sentences: list[str], *, tokens: int, count: int, length_of: Callable[[str], int]
) -> list[str]:
    """`count` texts of exactly `tokens` tokens: consecutive sentences, cut after a word.

    Raises:
        ValueError: the sentences are not enough.
    """
    found: list[str] = []
    for first in range(len(sentences)):
        words: list[str] = []
        remaining = iter(sentences[first:] + sentences[:first])
        while length_of(" ".join(words)) < tokens and (sentence := next(remaining, None)):
            words += sentence.split()
        while words and length_of(" ".join(words)) > tokens:
            words.pop()
        if length_of(text := " ".join(words)) == tokens:
            found.append(text)
        if len(found) == count:
            return found
    raise ValueError(
        f"{len(found)} of {count} texts of {tokens} tokens in {len(sentences)} sentences"
    )
