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
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    PreTrainedConfig,
    RobertaConfig,
)

from pipeline import pretrain
from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.files import sha256_file
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


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


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


@pytest.mark.soak
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
def test_a_corpus_of_no_documents_is_an_empty_array_and_is_refused(root: Path, kind: str) -> None:
    tokenizer = TRAIN[kind](texts(40, seed=1), vocabulary_size=300)
    for tokens in (0, 3):  # an empty document is its end alone
        arrays(root, tokenizer, train=[""] * tokens, heldout=texts(40, seed=2))
        assert len(TokenFile(root / "artifacts/prepare/corpus/train.npy")) == tokens
        with pytest.raises(DataError, match=f"{tokens} tokens in the corpus's train part"):
            run_in(root, "pretrain", pretrain.run)
    assert not (root / "artifacts/pretrain/model").exists()


SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
SIZE |= {"hidden_size": 32, "vocab_size": len(VOCABULARY), "max_position_embeddings": 40}
BERT = BertConfig(**SIZE)
GPT2 = GPT2Config(vocab_size=len(VOCABULARY), n_embd=32, n_layer=2, n_head=2, n_inner=64)
DISTILBERT = DistilBertConfig(vocab_size=100, dim=32, n_layers=2, n_heads=2, hidden_dim=64)


def write(config: PreTrainedConfig, folder: Path) -> None:
    AutoModel.from_config(config).save_pretrained(folder)


def bilm(folder: Path) -> None:
    tiny_language_model(vocab_size=200).save_pretrained(folder)


def weights_of_another(folder: Path) -> None:
    write(BERT, folder)
    write(GPT2, folder / "other")
    (folder / "other/model.safetensors").replace(folder / "model.safetensors")


def cut_off(folder: Path) -> None:
    write(BERT, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:400])


def start_from(checkpoint: PreTrainedConfig | Callable[[Path], None], root: Path) -> None:
    """Pretrains from another checkpoint."""
    shutil.rmtree(root / "checkpoint")
    (root / "checkpoint").mkdir()
    torch.manual_seed(0)
    if isinstance(checkpoint, PreTrainedConfig):
        write(checkpoint, root / "checkpoint")
    else:
        checkpoint(root / "checkpoint")
    changes = [f"prepare.checkpoint.path={root / 'checkpoint'}", "pretrain.start=checkpoint"]
    run_in(root, "pretrain", pretrain.run, *changes, "pretrain.epochs=1")


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        (GPT2, "is a gpt2 of 2 layers"),
        (DISTILBERT, "is a distilbert of 2 layers"),
        (DebertaV2Config(**SIZE), "the deberta-v2 differs from a BERT .* in: parts of a layer"),
        (
            ElectraConfig(**SIZE, embedding_size=8),
            "the electra differs from a BERT .* in: width of embeddings",
        ),
        (BertConfig(**(SIZE | {"max_position_embeddings": 8})), "in: positions"),
        (BertConfig(**(SIZE | {"vocab_size": 10})), "in: tokens"),
        (bilm, "model type `bilm`"),
        (weights_of_another, r"lacks \d+ weights"),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused_before_training(
    root: Path, checkpoint: Any, message: str
) -> None:
    with pytest.raises(ArtifactError, match=message) as caught:
        start_from(checkpoint, root)
    assert caught.value.next_step.endswith("pretrain.start: random")
    assert not (root / "artifacts/pretrain/model").exists()


def test_half_a_file_of_weights_is_told_as_such(root: Path) -> None:
    with pytest.raises(DataError, match=r"model\.safetensors ends within its header"):
        start_from(cut_off, root)


def in_shards(folder: Path) -> None:
    AutoModel.from_config(BERT).save_pretrained(folder, max_shard_size="20KB")


def test_a_student_starts_from_shards_as_from_one_file(root: Path) -> None:
    weights = []
    for checkpoint in (BERT, in_shards):
        start_from(checkpoint, root)
        weights.append(sha256_file(root / "artifacts/pretrain/model/model.safetensors"))
    assert not (root / "checkpoint/model.safetensors").exists()
    assert weights[0] == weights[1]


def test_a_checkpoint_built_as_bert_is_taken_whatever_its_name(root: Path) -> None:
    start_from(RobertaConfig(**SIZE), root)
    model = root / "artifacts/pretrain/model"
    _, loaded = AutoModelForMaskedLM.from_pretrained(model, output_loading_info=True)
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
