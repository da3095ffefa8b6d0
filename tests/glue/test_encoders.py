"""Encoders of several families load; anything else or anything incomplete is refused at once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from pipeline.core.errors import ArtifactError
from pipeline.core.params import parse_params
from pipeline.glue.encoders import load_encoder
from pipeline.glue.tasks import TASKS
from tests.support.repository import parameter_values
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_models import VOCABULARY, write_tokenizer

SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SIZE |= {"hidden_size": 16, "vocab_size": len(VOCABULARY), "max_position_embeddings": 40}
MAX_LENGTH = 32


def bert(family: Any = hf.BertModel, **changes: Any) -> Any:
    return family(hf.BertConfig(**(SIZE | changes)))


def roberta() -> Any:
    return hf.RobertaForMaskedLM(hf.RobertaConfig(**SIZE, type_vocab_size=1, pad_token_id=0))


def distilbert() -> Any:
    size = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "vocab_size": len(VOCABULARY)}
    return hf.DistilBertForMaskedLM(hf.DistilBertConfig(**size, max_position_embeddings=40))


def bilm() -> Any:
    return tiny_language_model(vocab_size=200)


NO_ENCODERS: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: hf.GPT2Model(hf.GPT2Config(vocab_size=88, n_embd=16, n_layer=1, n_head=2)),
    "t5": lambda: hf.T5EncoderModel(hf.T5Config(vocab_size=88, d_model=16, d_ff=16, num_layers=1)),
    "vit": lambda: hf.ViTModel(
        hf.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    ),
}


def saved(folder: Path, model: Any) -> Path:
    model.save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def load(folder: Path, *, task: str = "RTE", frozen_layers: int = 1) -> tuple[Any, Any]:
    finetune = parse_params(parameter_values()).finetune
    finetune = finetune.model_copy(update={"frozen_layers": frozen_layers, "layer_decay": 1.0})
    return load_encoder(folder, TASKS[task], finetune=finetune, max_length=MAX_LENGTH)


@pytest.mark.parametrize("make", [bert, roberta, distilbert, bilm])
def test_encoders_of_several_families_answer(tmp_path: Path, make: Callable[[], Any]) -> None:
    model, tokenizer = load(saved(tmp_path, make()))
    row = tokenizer("the film is good", return_tensors="pt", return_token_type_ids=False)
    assert model(**row).logits.shape == (1, 2)


def test_an_encoder_of_shared_layers_is_trained_whole_or_not_at_all(tmp_path: Path) -> None:
    saved(tmp_path, hf.AlbertModel(hf.AlbertConfig(**SIZE, embedding_size=8)))
    with pytest.raises(ArtifactError, match="albert shares or hides them"):
        load(tmp_path)
    model, _ = load(tmp_path, frozen_layers=0)
    assert model.config.num_labels == 2


@pytest.mark.parametrize("kind", ["multi_label_classification", "regression"])
@pytest.mark.parametrize(("task", "labels"), [("RTE", 2), ("MNLI", 3), ("STS-B", 1)])
def test_the_head_of_another_problem_is_left_behind(
    tmp_path: Path, kind: str, task: str, labels: int
) -> None:
    many = 5 if kind == "multi_label_classification" else 1
    model = bert(hf.BertForSequenceClassification, num_labels=many, problem_type=kind)
    loaded, _ = load(saved(tmp_path, model), task=task)
    assert loaded.classifier.out_features == labels
    kept = loaded.bert.encoder.layer[0].attention.self.query.weight
    assert torch.equal(kept, model.bert.encoder.layer[0].attention.self.query.weight)


@pytest.mark.parametrize("family", NO_ENCODERS)
def test_what_is_no_encoder_is_refused_by_its_family(tmp_path: Path, family: str) -> None:
    with pytest.raises(ArtifactError, match=f"is of the family {family}"):
        load(saved(tmp_path, NO_ENCODERS[family]()))


def foreign_weights(folder: Path) -> None:
    roberta().save_pretrained(folder / "other")
    (folder / "other/model.safetensors").replace(folder / "model.safetensors")


def other_shape(folder: Path) -> None:
    saved(folder, bert(hf.BertForMaskedLM))
    bert(hf.BertForMaskedLM, hidden_size=24).config.save_pretrained(folder)


def no_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "foreign weights": (foreign_weights, r"lacks \d+ weights, one of them embeddings"),
    "another shape": (other_shape, "size mismatch|ignore_mismatched_sizes"),
    "weights cut off": (
        lambda folder: os.truncate(folder / "model.safetensors", 500),
        "Error while deserializing header",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
    "no tokenizer": (no_tokenizer, "no tokenizer in"),
    "a broken tokenizer": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        "the tokenizer in",
    ),
    "another tokenizer": (
        lambda folder: saved(folder, bert(vocab_size=30)),
        "a tokenizer of 88 tokens, but a model of 30",
    ),
    "few positions": (
        lambda folder: saved(folder, bert(max_position_embeddings=MAX_LENGTH - 1)),
        "cannot read 32 tokens",
    ),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{oops"), "config"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Path, case: str) -> None:
    spoil, message = SPOILED[case]
    saved(tmp_path, bert())
    spoil(tmp_path)
    with pytest.raises(ArtifactError, match=message):
        load(tmp_path)


def test_looking_at_a_checkpoint_changes_nothing_of_its_new_head(tmp_path: Path) -> None:
    saved(tmp_path, bert())
    heads = []
    for _ in range(2):
        torch.manual_seed(3)
        heads.append(load(tmp_path)[0].classifier.weight)
    torch.manual_seed(3)
    whole = hf.BertForSequenceClassification.from_pretrained(tmp_path, num_labels=2)
    assert torch.equal(heads[0], heads[1])
    assert torch.equal(heads[0], whole.classifier.weight)
