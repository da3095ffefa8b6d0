"""What a tokenizer does not know is counted in tokens of the texts, never in padding."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from pipeline.core.errors import DataError
from pipeline.text.tokenizer import train_byte_bpe, train_wordpiece
from pipeline.text.unknown import require_known, unknown_tokens

KNOWN = ["a warm film", "a dull film"] * 20
UNK = "[UNK]"


@pytest.fixture
def tokenizer() -> Tokenizer:
    return train_wordpiece(KNOWN, vocabulary_size=100)


def test_the_share_is_that_of_the_tokens_of_the_texts(tokenizer: Tokenizer) -> None:
    found = unknown_tokens(tokenizer, ["a warm 😍 film", "a dull film"], unknown=UNK)
    assert (found.tokens, found.unknown) == (7, 1)
    assert found.share == 1 / 7
    assert found.examples == "😍"


def test_padding_and_truncation_of_its_file_do_not_matter(tokenizer: Tokenizer) -> None:
    plain = unknown_tokens(tokenizer, ["a warm film 😍"], unknown=UNK)
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(2)
    assert unknown_tokens(tokenizer, ["a warm film 😍"], unknown=UNK) == plain
    assert (tokenizer.padding or {})["length"] == 64


def test_the_most_frequent_is_named_first(tokenizer: Tokenizer) -> None:
    found = unknown_tokens(tokenizer, ["字 語", "a 語 film"], unknown=UNK)
    assert found.examples == "語 字"


def test_bytes_know_everything() -> None:
    tokenizer = train_byte_bpe(KNOWN, vocabulary_size=300)
    assert unknown_tokens(tokenizer, ["字 😍 é\u200d  x"], unknown=None).unknown == 0


def test_what_a_vocabulary_without_an_unknown_token_leaves_out_is_counted() -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    found = unknown_tokens(tokenizer, ["a b", "a字 字"], unknown=None)
    assert (found.tokens, found.unknown, found.examples) == (5, 2, "字")


def test_texts_without_any_token_are_wholly_unknown(tokenizer: Tokenizer) -> None:
    assert unknown_tokens(tokenizer, ["", " "], unknown=UNK).share == 1.0


def test_too_much_is_refused_with_what_it_is(tokenizer: Tokenizer) -> None:
    found = unknown_tokens(tokenizer, ["a 字 film"], unknown=UNK)
    asked = {"of": "the student", "limit": "prepare.max_unknown_share", "next_step": "byte_bpe"}
    require_known(found, max_share=0.34, **asked)
    with pytest.raises(DataError, match=r"the student does not know 33.33% .*: 字"):
        require_known(found, max_share=0.33, **asked)
