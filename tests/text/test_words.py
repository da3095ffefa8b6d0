"""The tokens that start a word, in both of the student's vocabularies."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.text.tokenizer import save_for_transformers, train_byte_bpe, train_wordpiece
from pipeline.text.words import word_starts

TEXTS = [
    "Unkindly kindly kind, the unkindest kin. It's late!",
    "날씨가 좋아서 공원에 갔다. 날씨가 나빠서 집에 있었다.",
] * 5


@pytest.mark.parametrize(
    ("train", "text"),
    [
        (train_wordpiece, "the kindest kin, unkindly."),
        (train_byte_bpe, "the kindest kin, unkindly."),
        (train_byte_bpe, "공원에 눈이 온다."),
    ],
    ids=["wordpiece", "bytes", "bytes of Korean"],
)
def test_words_and_marks_are_counted(
    tmp_path: Path, train: Callable[..., Tokenizer], text: str
) -> None:
    save_for_transformers(train(TEXTS, vocabulary_size=330), tmp_path, max_length=64)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer.encode(text, add_special_tokens=False)
    words = len(re.findall(r"\w+|[^\w\s]", text))
    if train is train_wordpiece:
        assert len(ids) > words  # some are in pieces
    starts = word_starts(tokenizer)[ids]
    starts[0] = True
    assert starts.sum() == words
