"""A last layer for the first token only gives the answers and gradients of the whole one."""

import copy
from pathlib import Path

import pytest
import torch
from transformers import (
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)

from pipeline.models.encoder import load_classifier
from pipeline.models.first_token import FirstTokenLayer, read_first_token_only
from tests.support.tiny_models import tiny_classifier

IDS = torch.tensor([[1, 5, 6, 7, 8], [1, 9, 4, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def classifier(attention: str = "sdpa") -> BertForSequenceClassification:
    model = tiny_classifier()
    model.set_attn_implementation(attention)
    return model


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("mask", [MASK, torch.ones_like(MASK)])
def test_answers_and_gradients_are_those_of_the_whole_layer(
    attention: str, mask: torch.Tensor
) -> None:
    whole = classifier(attention)
    narrow = copy.deepcopy(whole)
    read_first_token_only(narrow)
    answers = [model(input_ids=IDS, attention_mask=mask).logits for model in (whole, narrow)]
    torch.testing.assert_close(answers[1], answers[0])
    for answer in answers:
        answer.square().sum().backward()
    other = dict(narrow.named_parameters())
    for name, parameter in whole.named_parameters():
        torch.testing.assert_close(other[name].grad, parameter.grad, msg=name)


def test_it_is_saved_and_loaded_as_any_other(tmp_path: Path) -> None:
    model = classifier()
    read_first_token_only(model)
    model.save_pretrained(tmp_path)
    loaded = load_classifier(tmp_path, labels=["negative", "positive"]).eval()
    plain = BertForSequenceClassification.from_pretrained(tmp_path).eval()
    assert isinstance(loaded.base_model.encoder.layer[-1], FirstTokenLayer)
    for other in (loaded, plain):
        torch.testing.assert_close(other(input_ids=IDS).logits, model(input_ids=IDS).logits)


def test_another_architecture_stays_as_it_is() -> None:
    config = DistilBertConfig(vocab_size=20, dim=16, n_layers=2, n_heads=4, hidden_dim=32)
    model = DistilBertForSequenceClassification(config).eval()
    before = model(input_ids=IDS).logits
    read_first_token_only(model)
    assert torch.equal(model(input_ids=IDS).logits, before)
