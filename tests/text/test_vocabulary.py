"""A reduced vocabulary keeps what texts use; reducing by nothing changes nothing."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, BertModel

from pipeline.core.errors import ArtifactError, DataError
from pipeline.models.student_start import pieces_of_tokens
from pipeline.text.tokenizer import save_for_transformers, train_byte_bpe, train_wordpiece
from pipeline.text.vocabulary import (
    Coverage,
    coverage_of,
    cut_vocabulary,
    require_coverage,
    token_counts,
)

TEXTS = ["a wonderful film", "a wonderful story, wonderfully told", "the film is dull"] * 3
OTHER = ["quantum tensor algebra", "the tensor is symmetric"] * 3


@pytest.fixture
def whole() -> Tokenizer:
    return train_wordpiece([*TEXTS, *OTHER], vocabulary_size=400)


def test_tokens_of_the_texts_stay_and_others_go(whole: Tokenizer) -> None:
    used = {token for text in TEXTS for token in whole.encode(text).tokens}
    letters = {t for t in whole.get_vocab() if t.removeprefix("##") in set("".join(used))}
    size = 5 + len(letters) + len({t for t in used if not t.startswith("[")} - letters)
    smaller, coverage = cut_vocabulary(whole, TEXTS, size=size)
    assert smaller.get_vocab_size() == size < whole.get_vocab_size()
    assert coverage == Coverage(kept=1.0, unknown=0.0, added=0.0)
    assert "wonderful" in smaller.get_vocab()
    assert "tensor" not in smaller.get_vocab()
    for text in TEXTS:
        assert smaller.encode(text).tokens == whole.encode(text).tokens
    assert "[UNK]" not in smaller.encode("stern").tokens  # in pieces
    assert "q" not in smaller.get_vocab()  # no text has it
    others = coverage_of(whole, smaller, OTHER)
    assert others.kept < 1.0
    assert others.unknown > 0


def test_few_texts_leave_room_for_the_commonest_tokens_of_the_checkpoint() -> None:
    whole = train_wordpiece([*TEXTS, *OTHER], vocabulary_size=400)
    vocabulary = json.loads(whole.to_str())
    words = vocabulary["model"]["vocab"]
    words |= {f"[unused{number}]": len(words) + number for number in range(5)}
    whole = Tokenizer.from_str(json.dumps(vocabulary))
    smaller, coverage = cut_vocabulary(whole, ["a film"], size=60)
    assert smaller.get_vocab_size() == 60
    assert coverage == Coverage(kept=1.0, unknown=0.0, added=0.0)
    assert coverage_of(whole, smaller, OTHER).unknown == 0.0
    assert not any(token.startswith("[unused") for token in smaller.get_vocab())
    everything, _ = cut_vocabulary(whole, ["a film"], size=1000)
    assert everything.get_vocab_size() == whole.get_vocab_size() - 5


def test_padding_counts_nowhere(whole: Tokenizer) -> None:
    smaller, plain = cut_vocabulary(whole, TEXTS, size=42)
    others = coverage_of(whole, smaller, OTHER)
    whole.enable_padding(length=64)
    padded, coverage = cut_vocabulary(whole, TEXTS, size=42)
    assert padded.get_vocab() == smaller.get_vocab()
    assert coverage == plain
    assert coverage_of(whole, padded, OTHER) == others
    assert plain.kept < 1


def test_what_the_whole_vocabulary_does_not_know_is_no_fault_of_the_cut(whole: Tokenizer) -> None:
    emoji = [f"{text} 😍" for text in TEXTS]
    _, coverage = cut_vocabulary(whole, emoji, size=whole.get_vocab_size())
    assert coverage.unknown > 0.1
    assert coverage.added == 0
    require_coverage(coverage, of="the texts", min_kept=0.9, max_unknown=0.001)
    cut, _ = cut_vocabulary(whole, TEXTS, size=47)
    lost = coverage_of(whole, cut, OTHER)
    assert lost.added == lost.unknown > 0
    with pytest.raises(DataError, match="unknown that the checkpoint knows"):
        require_coverage(lost, of="the texts", min_kept=0.0, max_unknown=0.001)


def test_special_tokens_are_numbered_first_and_pairs_are_framed(whole: Tokenizer) -> None:
    smaller, _ = cut_vocabulary(whole, TEXTS, size=300)
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert [smaller.token_to_id(token) for token in specials] == [0, 1, 2, 3, 4]
    pair = smaller.encode("a film", "the story")
    assert pair.tokens == ["[CLS]", "a", "film", "[SEP]", "the", "story", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1]


def test_a_surgery_that_cuts_nothing_is_bit_exact(whole: Tokenizer, tmp_path: Path) -> None:
    same, coverage = cut_vocabulary(whole, [*TEXTS, *OTHER], size=whole.get_vocab_size())
    assert coverage.kept == 1.0
    for name, tokenizer in (("old", whole), ("new", same)):
        (tmp_path / name).mkdir()
        save_for_transformers(tokenizer, tmp_path / name, max_length=32)
    old, new = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("old", "new"))
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    before = BertModel(BertConfig(vocab_size=len(old), intermediate_size=16, **shape)).eval()
    after = BertForMaskedLM(BertConfig(vocab_size=len(new), intermediate_size=16, **shape))
    state = dict(before.state_dict())
    table = torch.zeros(len(new), 16)
    for number, pieces in pieces_of_tokens(new, old).items():
        table[number] = state["embeddings.word_embeddings.weight"][pieces].mean(dim=0)
    state["embeddings.word_embeddings.weight"] = table
    after.bert.load_state_dict(state, strict=False)
    for text in [*TEXTS, *OTHER]:
        with torch.inference_mode():
            expected = before(**old(text, return_tensors="pt")).last_hidden_state
            found = after.bert.eval()(**new(text, return_tensors="pt")).last_hidden_state
        assert torch.equal(expected, found)


def test_a_cut_that_goes_too_far_or_of_another_kind_of_tokenizer_is_refused(
    whole: Tokenizer,
) -> None:
    with pytest.raises(ArtifactError, match="single characters"):
        cut_vocabulary(whole, TEXTS, size=10)
    used = {character for text in TEXTS for character in text}
    characters = sum(t.removeprefix("##") in used for t in whole.get_vocab())
    _, coverage = cut_vocabulary(whole, TEXTS, size=characters + 5 + 1)
    with pytest.raises(DataError, match=r"prepare\.vocabulary_size"):
        require_coverage(coverage, of="the texts", min_kept=0.9, max_unknown=0.001)
    with pytest.raises(ArtifactError, match="BPE tokenizer"):
        cut_vocabulary(train_byte_bpe(TEXTS, vocabulary_size=300), TEXTS, size=300)


@pytest.mark.parametrize("limit", [None, 5, 128])
def test_words_encoded_once_give_the_tokens_of_whole_texts(
    whole: Tokenizer, limit: int | None
) -> None:
    texts = [
        "A wonderful,film\tis  dull\r\n",
        "tensor\u00a0film \u3000映画film émigré e\u0301 👍film",
        "a\u200bfilm\u2028dull\x85told [MASK] story",
        "",
        " \n ",
        "x" * 300 + " film",
        *TEXTS,
    ]
    if limit:
        whole.enable_truncation(limit)
    encodings = whole.encode_batch(texts, add_special_tokens=False)
    assert token_counts(whole, texts) == Counter(t for e in encodings for t in e.tokens)
