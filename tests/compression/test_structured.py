"""Units, heads and layers that matter least are removed, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from pipeline.compression.importance import head_importance, layer_importance, unit_importance
from pipeline.compression.onnx_export import export_onnx
from pipeline.compression.structured import (
    drop_heads,
    fill_heads,
    narrow_feed_forward,
    remove_heads,
    remove_layers,
)
from pipeline.core.errors import ArtifactError
from pipeline.models.encoder import load_classifier, parameter_count
from pipeline.models.first_token import FirstTokenLayer
from tests.support.tiny_models import classifier_logits as logits
from tests.support.tiny_models import first_token_classifier, random_objective, tiny_classifier


def test_units_without_effect_are_the_least_important_and_removing_them_changes_nothing() -> None:
    model = tiny_classifier()
    silent = list(range(0, 24, 2))
    for layer in model.bert.encoder.layer:
        layer.output.dense.weight.data[:, silent] = 0
    importance = unit_importance(model, random_objective(), [np.arange(8)])
    for scores in importance:
        assert set(scores.topk(12, largest=False).indices.tolist()) == set(silent)
    before = logits(model)
    assert narrow_feed_forward(model, importance, keep_share=0.5) == 12
    assert torch.allclose(before, logits(model), atol=1e-6)


def test_a_unit_that_helps_one_row_as_much_as_it_harms_another_is_important() -> None:
    """What a row's neighbours in its batch are makes no difference, beside the mean over the batch."""
    objective, rows = random_objective(), np.arange(8)
    together = unit_importance(tiny_classifier(), objective, [rows])
    alone = unit_importance(tiny_classifier(), objective, [rows[i : i + 1] for i in range(8)])
    for whole, single in zip(together, alone, strict=True):
        assert torch.allclose(8 * whole, single, rtol=1e-3, atol=1e-7)


def test_keeping_all_units_is_bit_exact() -> None:
    model = tiny_classifier()
    before = logits(model)
    narrow_feed_forward(model, [torch.rand(24), torch.rand(24)], keep_share=1.0)
    assert torch.equal(before, logits(model))


def test_a_narrowed_model_loads_again_through_transformers(tmp_path: Path) -> None:
    model = tiny_classifier()
    narrow_feed_forward(model, [torch.rand(24), torch.rand(24)], keep_share=0.25)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert loaded.config.intermediate_size == 6
    assert torch.allclose(logits(model), logits(loaded), atol=1e-6)


def test_removing_everything_is_refused() -> None:
    with pytest.raises(ArtifactError, match="at least one unit"):
        narrow_feed_forward(tiny_classifier(), [torch.rand(24)] * 2, keep_share=0.01)


@pytest.mark.parametrize("head", [0, 1])
def test_a_head_without_effect_is_the_least_important_and_removing_it_changes_nothing(
    head: int,
) -> None:
    model = first_token_classifier()
    for layer in model.bert.encoder.layer:  # heads are eight wide
        layer.attention.output.dense.weight.data[:, head * 8 : (head + 1) * 8] = 0
    importance = head_importance(model, random_objective(), [np.arange(8)])
    assert all(scores.argmin() == head for scores in importance)
    before, size = logits(model), parameter_count(model)
    assert remove_heads(model, importance, keep_share=0.5) == 1
    assert parameter_count(model) < size
    assert torch.allclose(before, logits(model), atol=1e-6)


def test_a_model_without_some_heads_is_saved_as_any_other_and_exported_without_them(
    tmp_path: Path,
) -> None:
    whole, model = first_token_classifier(), first_token_classifier()
    remove_heads(model, [torch.tensor([0.0, 1.0])] * 2, keep_share=0.5)
    narrow, size = logits(model), parameter_count(model)
    fill_heads(model)
    assert parameter_count(model) == parameter_count(whole)
    model.save_pretrained(tmp_path)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert torch.allclose(narrow, logits(plain), atol=1e-6)
    drop_heads(plain)
    assert parameter_count(plain) == size
    assert torch.allclose(narrow, logits(plain), atol=1e-6)
    loaded = load_classifier(tmp_path, labels=["negative", "positive"]).eval()
    for name, exported in (("whole", whole), ("narrow", loaded)):
        export_onnx(exported, tmp_path / f"{name}.onnx", opset=17, segments=False, max_length=16)
    sizes = [(tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "narrow")]
    assert sizes[1] < sizes[0]


def test_a_layer_that_hands_on_what_it_was_given_is_the_one_to_go() -> None:
    model = first_token_classifier()
    first = model.bert.encoder.layer[0]  # no more than a norm is left of it
    first.attention.output.dense.weight.data *= 0
    first.output.dense.weight.data *= 0
    importance = layer_importance(model, random_objective(), [np.arange(8)])
    assert importance.argmin() == 0
    before = logits(model)
    assert remove_layers(model, importance, keep=1) == [1]
    assert model.config.num_hidden_layers == len(model.bert.encoder.layer) == 1
    assert torch.allclose(before, logits(model), atol=1e-4)


def test_the_last_layer_that_is_left_reads_the_first_token_alone(tmp_path: Path) -> None:
    model = first_token_classifier()
    remove_layers(model, torch.tensor([1.0, 0.0]), keep=1)
    assert isinstance(model.bert.encoder.layer[-1], FirstTokenLayer)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert torch.allclose(logits(model), logits(loaded), atol=1e-6)
    with pytest.raises(ArtifactError, match=r"prune\.layers = 2 of 1"):
        remove_layers(model, torch.tensor([1.0]), keep=2)
