"""The tokens that start a word, in both of the student's vocabularies."""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from pipeline.text.tokenizer import save_for_transformers, train_byte_bpe, train_wordpiece
from pipeline.text.words import word_starts

TEXTS = [
    "Unkindly kindly kind, the unkindest kin. It's late!",
    "날씨가 좋아서 공원에 갔다. 날씨가 나빠서 집에 있었다.",
] * 5


def a_tokenizer(folder: Path, kind: str) -> PreTrainedTokenizerBase:
    train = {"wordpiece": train_wordpiece, "byte_bpe": train_byte_bpe}[kind]
    save_for_transformers(train(TEXTS, vocabulary_size=330), folder, max_length=64)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def words_of(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    ids = tokenizer.encode(text, add_special_tokens=False)
    starts = word_starts(tokenizer)[ids]
    starts[0] = True
    return int(starts.sum())


def test_wordpiece_counts_words_and_marks(tmp_path: Path) -> None:
    tokenizer = a_tokenizer(tmp_path, "wordpiece")
    text = "the kindest kin, unkindly."
    assert len(tokenizer.encode(text, add_special_tokens=False)) > 6
    assert words_of(tokenizer, text) == 6


def test_bytes_count_words_and_marks_in_any_language(tmp_path: Path) -> None:
    tokenizer = a_tokenizer(tmp_path, "byte_bpe")
    assert words_of(tokenizer, "the kindest kin, unkindly.") == 6
    assert words_of(tokenizer, "공원에 눈이 온다.") == 4
