"""Freezing: frozen parameters stay, the others are trained, and each is one or the other."""

import json
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

from pipeline.core.errors import ArtifactError
from pipeline.models.encoder import freeze_lowest, layer_from_top, load_classifier
from tests.support.tiny_models import tiny_classifier


@pytest.mark.parametrize(("count", "lowest"), [(0, 4), (1, 3), (2, 2), (3, 1)])
def test_the_lowest_layers_are_frozen_from_the_embeddings_up(count: int, lowest: int) -> None:
    model = tiny_classifier(layers=3)
    freeze_lowest(model, count)
    learning = {
        layer_from_top(model, name)
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    assert learning == set(range(lowest + 1))


def test_what_is_frozen_has_no_gradient() -> None:
    model = tiny_classifier(layers=3)
    freeze_lowest(model, 2)
    model(input_ids=torch.tensor([[1, 2, 3]])).logits.sum().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == (layer_from_top(model, name) >= 3), name


def test_freezing_every_layer_is_refused() -> None:
    with pytest.raises(ArtifactError, match="4 frozen layers of an encoder with 3"):
        freeze_lowest(tiny_classifier(layers=3), 4)


def test_a_checkpoint_whose_weights_contradict_its_config_is_refused(tmp_path: Path) -> None:
    tiny_classifier(layers=3).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 32}))
    with pytest.raises(ArtifactError, match="an encoder checkpoint"):
        load_classifier(tmp_path, labels=["negative", "positive"])


BERT = BertConfig(
    vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
)
DISTILBERT = DistilBertConfig(vocab_size=20, dim=8, n_layers=1, n_heads=2, hidden_dim=8)


@pytest.mark.parametrize(
    "model",
    [BertForSequenceClassification(BERT), DistilBertForSequenceClassification(DISTILBERT)],
    ids=["BERT", "DistilBERT"],
)
def test_dropout_is_set_in_the_whole_model_whatever_the_family_calls_it(
    tmp_path: Path, model: PreTrainedModel
) -> None:
    model.save_pretrained(tmp_path)
    loaded = load_classifier(tmp_path, labels=["no", "yes"], dropout=0.37)
    parts = [part for part in loaded.modules() if isinstance(part, torch.nn.Dropout)]
    assert {part.p for part in parts} == {0.37}
    assert len(parts) > 1


def test_without_dropout_a_model_in_training_answers_as_it_does_later(tmp_path: Path) -> None:
    BertForSequenceClassification(BERT).save_pretrained(tmp_path)
    model = load_classifier(tmp_path, labels=["no", "yes"], dropout=0.0)
    tokens = torch.arange(16).reshape(2, 8)
    assert torch.equal(model.train()(tokens).logits, model.eval()(tokens).logits)
