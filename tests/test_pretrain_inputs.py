"""What may come into pretraining: no text at all, a line of a million characters, another's checkpoint."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    GPT2Config,
    GPT2Model,
    RobertaConfig,
    RobertaModel,
)

from pipeline import pretrain
from pipeline.core.errors import ArtifactError, DataError
from pipeline.text.packing import PackedRows, TokenFile, documents_of
from pipeline.text.tokenizer import (
    save_for_transformers,
    token_array,
    train_byte_bpe,
    train_wordpiece,
)
from tests.support.killed_stage import peak_of
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_models import VOCABULARY
from tests.support.trained_workspace import MAX_LENGTH, changed, run_in, texts, untrained_workspace

CHARACTERS = 1_000_000
TRAIN = {"wordpiece": train_wordpiece, "byte_bpe": train_byte_bpe}
chance = random.Random(4)  # noqa: S311 - test data, not a secret
LONG: dict[str, Callable[[], str]] = {
    "words": lambda: " ".join(chance.choices(["the", "film", "was", "warm"], k=CHARACTERS // 4)),
    "one letter": lambda: "a" * CHARACTERS,
    "letters": lambda: "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=CHARACTERS)),
    "marks": lambda: "!" * CHARACTERS,
    "spaces": lambda: "a" + " " * CHARACTERS + "b",
    "accents": lambda: "e" + "\u0301" * CHARACTERS,
}


def arrays(root: Path, tokenizer: Tokenizer, *, train: list[str], heldout: list[str]) -> None:
    """Put what prepare would leave of these texts into a workspace."""
    prepare = root / "artifacts/prepare"
    shutil.rmtree(prepare / "student_tokenizer")
    save_for_transformers(tokenizer, prepare / "student_tokenizer", max_length=MAX_LENGTH)
    for name, documents in (("train", train), ("heldout", heldout)):
        np.save(prepare / f"corpus/{name}.npy", token_array(tokenizer, documents))


@pytest.mark.timeout(120)  # the square of a million characters would take hours
@pytest.mark.parametrize("kind", TRAIN)
@pytest.mark.parametrize("line", LONG)
def test_a_line_of_a_million_characters_becomes_tokens_and_rows(line: str, kind: str) -> None:
    usual, text = texts(40, seed=1), LONG[line]()
    tokenizer = TRAIN[kind]([*usual, text], vocabulary_size=400)
    ids = token_array(tokenizer, [*usual, text])
    documents = documents_of(ids, end=tokenizer.token_to_id("[SEP]"))
    assert len(documents) == len(usual) + 1
    assert len(documents[-1]) <= CHARACTERS + 2
    packed = PackedRows(ids, MAX_LENGTH)
    assert packed.read(np.array([packed.count - 1])).shape == (1, MAX_LENGTH)
    if kind == "byte_bpe":
        assert tokenizer.decode(documents[-1].tolist()) == text.replace("e\u0301", "é", 1)


def test_pretraining_takes_such_a_line_and_no_more_memory_for_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    usual, long = texts(64, seed=2, sentences=6), LONG["words"]()
    tokenizer = train_wordpiece(usual, vocabulary_size=120)
    peaks = []
    for text in ("a usual text .", long):
        root = untrained_workspace(tmp_path_factory)
        changed(root, "pretrain.start=random", "pretrain.epochs=1", "pretrain.max_sequences=400")
        arrays(root, tokenizer, train=[text, *usual], heldout=[text, *usual])
        peaks.append(peak_of(root, "pretrain"))
        assert (root / "artifacts/pretrain/model/model.safetensors").is_file()
    assert peaks[1] < 1.1 * peaks[0], peaks


@pytest.mark.parametrize("kind", TRAIN)
def test_a_corpus_of_no_documents_is_an_empty_array_and_is_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    root = untrained_workspace(tmp_path_factory)
    tokenizer = TRAIN[kind](texts(40, seed=1), vocabulary_size=300)
    arrays(root, tokenizer, train=[], heldout=texts(40, seed=2))
    assert len(TokenFile(root / "artifacts/prepare/corpus/train.npy")) == 0
    with pytest.raises(DataError, match="0 tokens in the corpus's train part"):
        run_in(root, "pretrain", pretrain.run)
    arrays(root, tokenizer, train=[""] * 3, heldout=texts(40, seed=2))
    with pytest.raises(DataError, match="3 tokens in the corpus's train part"):
        run_in(root, "pretrain", pretrain.run)
    assert not (root / "artifacts/pretrain/model").exists()


SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
SIZE |= {"hidden_size": 32, "vocab_size": len(VOCABULARY), "max_position_embeddings": 40}


def bert(folder: Path, **changes: Any) -> None:
    BertModel(BertConfig(**(SIZE | changes))).save_pretrained(folder)


def roberta(folder: Path) -> None:
    RobertaModel(RobertaConfig(**SIZE)).save_pretrained(folder)


def gpt2(folder: Path) -> None:
    size = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_inner": 64}
    GPT2Model(GPT2Config(vocab_size=len(VOCABULARY), **size)).save_pretrained(folder)


def distilbert(folder: Path) -> None:
    size = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    DistilBertModel(DistilBertConfig(vocab_size=len(VOCABULARY), **size)).save_pretrained(folder)


def deberta(folder: Path) -> None:
    DebertaV2Model(DebertaV2Config(**SIZE)).save_pretrained(folder)


def electra(folder: Path) -> None:
    ElectraModel(ElectraConfig(**SIZE, embedding_size=8)).save_pretrained(folder)


def bilm(folder: Path) -> None:
    tiny_language_model(vocab_size=200).save_pretrained(folder)


def weights_of_another(folder: Path) -> None:
    bert(folder)
    gpt2(folder / "other")
    (folder / "other/model.safetensors").replace(folder / "model.safetensors")


def cut_off(folder: Path) -> None:
    bert(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:400])


def started_from(
    factory: pytest.TempPathFactory, write: Callable[[Path], None]
) -> tuple[Path, Callable[[], Any]]:
    """A workspace with another checkpoint, and what runs pretrain from it."""
    root = untrained_workspace(factory)
    shutil.rmtree(root / "checkpoint")
    (root / "checkpoint").mkdir()
    torch.manual_seed(0)
    write(root / "checkpoint")
    changes = [f"prepare.checkpoint.path={root / 'checkpoint'}", "pretrain.start=checkpoint"]
    return root, lambda: run_in(root, "pretrain", pretrain.run, *changes, "pretrain.epochs=1")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (gpt2, "is a gpt2 of 2 layers"),
        (distilbert, "is a distilbert of 2 layers"),
        (deberta, "the deberta-v2 differs from a BERT .* in: parts of a layer"),
        (electra, "the electra differs from a BERT .* in: width of embeddings"),
        (lambda folder: bert(folder, max_position_embeddings=8), "in: positions"),
        (lambda folder: bert(folder, vocab_size=10), "in: tokens"),
        (bilm, "model type `bilm`"),
        (weights_of_another, r"lacks \d+ weights"),
        (cut_off, "Error while deserializing header"),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused_before_training(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[[Path], None], message: str
) -> None:
    root, run = started_from(tmp_path_factory, write)
    with pytest.raises(ArtifactError, match=message):
        run()
    assert not (root / "artifacts/pretrain/model").exists()


def test_a_checkpoint_built_as_bert_is_taken_whatever_its_name(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root, run = started_from(tmp_path_factory, roberta)
    run()
    _, loaded = AutoModelForMaskedLM.from_pretrained(
        root / "artifacts/pretrain/model", output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
