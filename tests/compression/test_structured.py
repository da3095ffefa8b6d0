"""Narrowing the feed-forward layers removes what matters least, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertForSequenceClassification,
)

from pipeline.compression.structured import narrow_feed_forward, unit_importance
from pipeline.core.errors import ArtifactError
from pipeline.training.classification import Classification, TokenRows
from tests.support.tiny_models import tiny_classifier


def an_objective() -> Classification:
    random = np.random.default_rng(0)
    rows = TokenRows([random.integers(5, 40, 7).tolist() for _ in range(8)], np.full(8, 7), 0)
    return Classification(rows, random.integers(0, 2, 8))


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        answer: torch.Tensor = model(input_ids=torch.arange(5, 15)[None]).logits
    return answer


def silence(model: BertForSequenceClassification, units: list[int]) -> None:
    """Make feed-forward units without any effect."""
    for layer in model.bert.encoder.layer:
        layer.output.dense.weight.data[:, units] = 0


def test_units_without_effect_are_the_least_important_and_removing_them_changes_nothing() -> None:
    model = tiny_classifier()
    silent = list(range(0, 24, 2))
    silence(model, silent)
    importance = unit_importance(model, an_objective(), [np.arange(8)])
    for scores in importance:
        assert set(scores.topk(12, largest=False).indices.tolist()) == set(silent)
    before = logits(model)
    assert narrow_feed_forward(model, importance, keep_share=0.5) == 12
    assert torch.allclose(before, logits(model), atol=1e-6)


def test_a_unit_that_helps_one_row_as_much_as_it_harms_another_is_important() -> None:
    """What a row's neighbours in its batch are makes no difference, beside the mean over the batch."""
    objective, rows = an_objective(), np.arange(8)
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
