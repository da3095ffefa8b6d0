"""The student's vocabularies are reproducible, and byte-level BPE loses nothing."""

import unicodedata
from itertools import chain
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.text import tokenizer as student

TEXTS = [
    f"The {word} film of {word}s was never unbelievably {word}."
    for word in ("warm", "dull", "slow", "fine", "naïve")
] * 5


def encoded_whole(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    rows = [[*tokenizer.encode(text, add_special_tokens=False).ids, 3] for text in texts]
    return [*chain.from_iterable(rows)]


def test_the_vocabulary_repeats_and_auto_tokenizer_loads_it(tmp_path: Path) -> None:
    tokenizer = student.train_wordpiece(TEXTS, vocabulary_size=120)
    assert tokenizer.to_str() == student.train_wordpiece(TEXTS, vocabulary_size=120).to_str()
    student.save_for_transformers(tokenizer, tmp_path, max_length=16)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.model_max_length == 16
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert loaded.convert_tokens_to_ids(specials) == [0, 1, 2, 3, 4]
    assert loaded(TEXTS[0])["input_ids"] == tokenizer.encode(TEXTS[0]).ids


def test_an_alphabet_grows_with_the_script_as_far_as_the_vocabulary_has_room() -> None:
    characters = [chr(0x4E00 + number) for number in range(900)]
    texts = ["".join(characters[at : at + 30]) for at in range(0, 900, 30)] * 3
    roomy, small = (student.train_wordpiece(texts, vocabulary_size=size) for size in (2000, 300))
    assert all("[UNK]" not in roomy.encode(text).tokens for text in texts)
    unknown = sum(small.encode(text).tokens.count("[UNK]") for text in texts)
    assert unknown == 3 * (900 - 200)


def test_token_arrays_hold_what_whole_texts_encode_to() -> None:
    tokenizer = student.train_wordpiece(TEXTS, vocabulary_size=120)
    array = student.token_array(tokenizer, TEXTS)
    assert array.dtype == "uint16"
    assert array.tolist() == encoded_whole(tokenizer, TEXTS)


def test_a_byte_vocabulary_repeats_and_loses_nothing_of_any_language() -> None:
    texts = ["A fine Film!  Two  spaces.", "배우들의 연기가 훌륭하다.", "naïve café – 100% 🎬"]
    tokenizer, again = (
        student.train_byte_bpe(TEXTS + texts, vocabulary_size=400) for _ in range(2)
    )
    assert tokenizer.to_str() == again.to_str()
    for text in [*texts, "지루한 이야기", "Ünseen\twords\n"]:
        encoded = tokenizer.encode(text)
        assert tokenizer.decode(encoded.ids) == unicodedata.normalize("NFC", text)
        assert (encoded.ids[0], encoded.ids[-1]) == (2, 3)
    assert student.token_array(tokenizer, texts).tolist() == encoded_whole(tokenizer, texts)
