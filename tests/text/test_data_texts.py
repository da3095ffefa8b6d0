"""Cleaning, containment, splits, sentences and the student's tokenizer."""

import unicodedata
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from pipeline.core.errors import DataError
from pipeline.core.params import SplitShares
from pipeline.text.cleaning import bare_words, clean
from pipeline.text.containment import containing, equal_pairs
from pipeline.text.sentences import sentences
from pipeline.text.split_assignment import check_splits, split_of
from pipeline.text.tokenizer import (
    save_for_transformers,
    token_array,
    train_byte_bpe,
    train_wordpiece,
)

SHARES = SplitShares(train=0.7, validation=0.1, test=0.2)
TEXTS = [
    f"The {word} film of {word}s was never unbelievably {word}."
    for word in ("warm", "dull", "slow", "fine", "naïve")
] * 5


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("One.<br /><br />Two.", "One.\nTwo."),
        ("so <i>very</i> good", "so very good"),
        ("I <3 this: 1 < 2 > 0 <grin>", "I <3 this: 1 < 2 > 0 <grin>"),
        ("Tom &amp; Jerry &#8217; R&B", "Tom & Jerry ’ R&B"),
        ("wait\x85 \x00no\ttabs\ufeff", "wait… no tabs"),
        ("cafe\u0301", "café"),
        ("one\ntwo\n\nthree", "one two\nthree"),
    ],
)
def test_markup_and_control_characters_go_and_text_stays(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_containment_is_word_for_word() -> None:
    haystacks = [bare_words(t) for t in ("I said: a warm, funny film it is!", "A warm funny filmy")]
    needles = ["a warm funny film", "warm funny", ""]
    assert containing(haystacks, needles) == [(0, 0)]
    assert containing(haystacks, needles, min_words=1) == [(0, 0), (0, 1), (1, 1)]
    assert equal_pairs(["a", "b", ""], ["b", ""]) == [(1, 0)]


def test_the_same_cluster_is_always_in_the_same_split_and_shares_hold() -> None:
    splits = [split_of(str(i), salt="s", shares=SHARES) for i in range(5000)]
    assert splits == [split_of(str(i), salt="s", shares=SHARES) for i in range(5000)]
    for name, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert splits.count(name) / 5000 == pytest.approx(share, abs=0.03)


SPLITS = ["train", "train", "validation", "validation", "test", "test"]


@pytest.mark.parametrize(
    ("problem", "targets", "message"),
    [
        ("classification", [[0.0], [1.0]] * 3, None),
        ("classification", [[0.0], [1.0], [0.0], [1.0], [0.0], [0.0]], "test split lacks b"),
        ("classification", [[0.0], [1.0]] * 2, "test split is empty"),
        ("multi_label", [[1.0, 1.0], [0.0, 0.0]] * 3, None),
        ("multi_label", [[1.0, 1.0], [1.0, 0.0]] * 2 + [[0.0, 0.0]] * 2, "test split lacks a, b"),
        ("regression", [[1.5], [2.0]] * 3, None),
        ("regression", [[1.5], [2.0]] * 2 + [[3.0]] * 2, "test split has one number only"),
    ],
)
def test_splits_that_cannot_be_judged_on_are_refused(
    problem: str, targets: list[list[float]], message: str | None
) -> None:
    labels = ["stars"] if problem == "regression" else ["a", "b"]
    splits = SPLITS[: len(targets)]
    if message is None:
        check_splits(splits, targets, problem=problem, labels=labels)
        return
    with pytest.raises(DataError, match=message):
        check_splits(splits, targets, problem=problem, labels=labels)


def test_sentences_end_at_marks_and_lines_but_not_at_abbreviations() -> None:
    text = 'Mr. Lee is J. R. Good! "Really?" Yes... 10 times\nNew line e.g. This'
    assert [*sentences(text)] == [
        "Mr. Lee is J. R. Good!",
        '"Really?"',
        "Yes...",
        "10 times",
        "New line e.g. This",
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("국이 짜다. 밥은 좋았다! 또 올까?", ["국이 짜다.", "밥은 좋았다!", "또 올까?"]),
        ("Суп остыл. Рис хорош.", ["Суп остыл.", "Рис хорош."]),
        ("汤凉了。饭很好！下次再来。", ["汤凉了。", "饭很好！", "下次再来。"]),
    ],
)
def test_sentences_end_in_other_scripts_too(text: str, parts: list[str]) -> None:
    assert [*sentences(text)] == parts


def test_the_vocabulary_repeats_and_auto_tokenizer_loads_it(tmp_path: Path) -> None:
    tokenizer = train_wordpiece(TEXTS, vocabulary_size=120)
    assert tokenizer.to_str() == train_wordpiece(TEXTS, vocabulary_size=120).to_str()
    save_for_transformers(tokenizer, tmp_path, max_length=16)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.model_max_length == 16
    assert loaded.convert_tokens_to_ids(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]) == [
        *range(5)
    ]
    assert loaded(TEXTS[0])["input_ids"] == tokenizer.encode(TEXTS[0]).ids


def test_token_arrays_hold_what_whole_texts_encode_to() -> None:
    tokenizer = train_wordpiece(TEXTS, vocabulary_size=120)
    expected = [
        token
        for text in TEXTS
        for token in [*tokenizer.encode(text, add_special_tokens=False).ids, 3]
    ]
    array = token_array(tokenizer, TEXTS)
    assert array.dtype == "uint16"
    assert array.tolist() == expected


def test_a_byte_vocabulary_repeats_and_loses_nothing_of_any_language() -> None:
    texts = ["A fine Film!  Two  spaces.", "배우들의 연기가 훌륭하다.", "naïve café – 100% 🎬"]
    tokenizer = train_byte_bpe(TEXTS + texts, vocabulary_size=400)
    again = train_byte_bpe(TEXTS + texts, vocabulary_size=400)
    assert tokenizer.to_str() == again.to_str()
    for text in [*texts, "지루한 이야기", "Ünseen\twords\n"]:
        encoded = tokenizer.encode(text)
        assert tokenizer.decode(encoded.ids) == unicodedata.normalize("NFC", text)
        assert (encoded.ids[0], encoded.ids[-1]) == (2, 3)
    array = token_array(tokenizer, texts)
    whole = [[*tokenizer.encode(text, add_special_tokens=False).ids, 3] for text in texts]
    assert array.tolist() == [number for row in whole for number in row]
