"""A browser that asks the tables splits every text into words as the tokenizer does."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from pipeline.edge.npm_packages import TOKENIZERS, files_of, package_bytes
from pipeline.edge.word_tables import word_parts
from tests.edge.test_character_tables import SPECIAL, texts
from tests.support.node import kept_packages, needs_node, run_script

SPLIT = """
import { encoderOf } from "./word_parts.js";
const tokenizer = { encode(text) { return { ids: this.pre_tokenizer(this.normalizer(text)) }; } };
const encode = encoderOf(tokenizer, given.words);
result = given.texts.map(encode);
"""
IDS = """
import { Tokenizer } from "./tokenizers.min.mjs";
import { encoderOf } from "./word_parts.js";
const encode = encoderOf(new Tokenizer(given.tokenizer, {}), given.words);
result = given.texts.map(encode);
"""
BYTES = """
import { encoderOf } from "./word_parts.js";
const tokenizer = { pre_tokenizer: { pre_tokenize_text: (part) => [part] } };
encoderOf(tokenizer, given.words);
result = given.texts.map((text) => tokenizer.pre_tokenizer(tokenizer.normalizer(text)));
"""


@needs_node
@pytest.mark.parametrize(
    "settings",
    [
        {"lowercase": True},
        *(
            pytest.param(settings, marks=pytest.mark.soak)
            for settings in (
                {"lowercase": False},
                {"lowercase": True, "strip_accents": False},
                {"lowercase": False, "strip_accents": True, "clean_text": False},
                {"lowercase": True, "handle_chinese_chars": False},
            )
        ),
    ],
    ids=str,
)
def test_a_browser_splits_hostile_texts_into_words_as_the_tokenizer_does(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    tokenizer = bert(**settings)
    given = texts(700)
    found = run_script(tmp_path / "js", SPLIT, {"words": word_parts(tokenizer), "texts": given})
    for text, words in zip(given, found, strict=True):
        assert words == words_of(tokenizer, text), ascii(text)


@needs_node
def test_a_browser_splits_hostile_texts_for_bytes_as_the_tokenizer_does(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    given = texts(700)
    found = run_script(tmp_path / "js", BYTES, {"words": word_parts(tokenizer), "texts": given})
    for text, words in zip(given, found, strict=True):
        normalized = tokenizer.normalizer.normalize_str(text)
        places = [place for _, place in tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]
        assert words == [normalized[start:end] for start, end in places], ascii(text)


@needs_node
@pytest.mark.parametrize("kind", ["bert", "bytes"])
def test_with_the_library_every_id_is_the_tokenizers(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    kept = kept_packages(tmp_path_factory, TOKENIZERS)
    library = files_of(TOKENIZERS, package_bytes(TOKENIZERS, kept))
    given = texts(500)
    tokenizer = trained(kind, given)
    value = {
        "tokenizer": json.loads(tokenizer.to_str()),
        "words": word_parts(tokenizer),
        "texts": given,
    }
    found = run_script(tmp_path / "js", IDS, value, files=library)
    ours = [tokenizer.encode(text, add_special_tokens=False).ids for text in given]
    assert [t for t, a, b in zip(given, ours, found, strict=True) if a != b] == []


@pytest.mark.parametrize(
    "other",
    [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=True)],
    ids=type,
)
def test_another_kind_of_tokenizer_has_no_tables(other: Any) -> None:
    tokenizer = bert(lowercase=True)
    tokenizer.pre_tokenizer = other
    assert word_parts(tokenizer) is None
    tokenizer.normalizer = normalizers.NFC()
    assert word_parts(tokenizer) is None


def bert(**settings: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**settings)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def words_of(tokenizer: Tokenizer, text: str) -> list[str]:
    normalized = tokenizer.normalizer.normalize_str(text)
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]


def trained(kind: str, given: list[str]) -> Tokenizer:
    """A tokenizer as a product's own is, with a vocabulary of the texts."""
    tokenizer = bert(lowercase=True)
    trainer: Any = trainers.WordPieceTrainer(special_tokens=["[UNK]", *SPECIAL], vocab_size=3000)
    if kind == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        trainer = trainers.BpeTrainer(
            special_tokens=[*SPECIAL], vocab_size=1000, initial_alphabet=alphabet
        )
    tokenizer.train_from_iterator(given, trainer=trainer)
    return tokenizer
