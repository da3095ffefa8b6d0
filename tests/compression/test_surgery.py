"""Dynamic network surgery cuts the requested share, undoes mistakes, and leaves no trace."""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from pipeline.compression.surgery import Masked, Surgery, cut_share_at
from pipeline.core.errors import ArtifactError
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.loop import AfterStep, Training, train
from pipeline.training.objectives.gold import GoldObjective, label_objective
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows
from tests.support.small_training import COMPUTE, OPTIMISATION
from tests.support.tiny_models import classifier_logits as logits
from tests.support.tiny_models import tiny_classifier

STEPS = 60
ROWS = 48


def an_objective() -> GoldObjective:
    """Rows whose label is in their first token."""
    random = np.random.default_rng(0)
    ids = random.integers(5, 40, (ROWS, 7))
    return label_objective(
        TokenRows(ids.tolist(), np.full(ROWS, 7), 0), (ids[:, 0] > 22).astype(int)
    )


def a_training(folder: Path, after_step: AfterStep) -> Training:
    return Training(
        task="prune",
        optimisation=OPTIMISATION.model_copy(update={"epochs": 10, "learning_rate": 5e-3}),
        compute=COMPUTE,
        batches=partial(epoch_batches, np.full(ROWS, 7)),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "curve.csv"),
        after_step=after_step,
    )


def test_as_many_weights_as_asked_for_are_zero_some_came_back_and_the_model_is_a_plain_one(
    tmp_path: Path,
) -> None:
    model = tiny_classifier()
    names = set(model.state_dict())
    surgery = Surgery(model, keep_share=0.3, steps=STEPS)
    training = a_training(tmp_path, surgery.after_step)
    assert training.steps == STEPS
    train(model, an_objective(), training)
    masked = logits(model)
    done = surgery.finish(model)
    assert 0.7 * done.weights <= done.cut <= 0.8 * done.weights
    assert done.spliced > 0
    assert torch.equal(masked, logits(model))
    zeros = sum(int((p == 0).sum()) for p in model.parameters() if p.ndim > 1)
    assert zeros >= done.cut
    # What is left is a model that transformers loads.
    assert set(model.state_dict()) == names
    model.save_pretrained(tmp_path / "model")
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    assert torch.equal(logits(model), logits(loaded))


def test_a_weight_that_was_cut_by_mistake_comes_back() -> None:
    """Its gradient goes on although it counts for nothing, and it is spliced over the upper threshold."""
    layer = torch.nn.Linear(16, 16, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(0.1, 1.0, 256).view(16, 16))
    surgery = Surgery(layer, keep_share=0.5, steps=2)
    layer(torch.ones(1, 16)).sum().backward()
    surgery.after_step(layer)
    assert float(layer.weight[0, 0].detach()) == 0.0
    layer.zero_grad()
    layer(torch.ones(1, 16)).sum().backward()
    dense = layer.parametrizations.weight.original  # type: ignore[union-attr]
    assert isinstance(dense, torch.nn.Parameter)
    assert torch.equal(dense.grad, torch.ones(16, 16))
    with torch.no_grad():
        dense[0, 0] = 5.0
    masked = next(module for module in layer.modules() if isinstance(module, Masked))
    masked.renew(dense, cut_share=0.5)
    assert float(layer.weight[0, 0].detach()) == 5.0
    assert surgery.finish(layer).spliced == 1


def test_a_weight_between_the_thresholds_stays_as_it_is() -> None:
    layer = torch.nn.Linear(16, 16, bias=False)
    surgery = Surgery(layer, keep_share=0.5, steps=10)
    masked = next(module for module in layer.modules() if isinstance(module, Masked))
    weight = torch.arange(1.0, 257.0).view(16, 16)
    masked.renew(weight, cut_share=0.5)  # the thresholds are 128 and 140.8
    assert (masked.mask == (weight > 128)).all()
    weight[0, 0], weight[15, 15] = 135.0, 1.0  # one grows between them, one shrinks under both
    masked.renew(weight, cut_share=0.5)
    assert not masked.mask[0, 0]
    assert not masked.mask[15, 15]
    assert surgery.finish(layer).spliced == 0


def test_the_share_rises_to_what_was_asked_for() -> None:
    shares = [cut_share_at(step / 10, final=0.6) for step in range(11)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[6:] == [0.6] * 5


def test_a_training_that_is_killed_goes_on_with_the_masks_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def operated(folder: Path, *, stop_at: int | None) -> tuple[torch.Tensor, tuple[int, ...]]:
        model = tiny_classifier()
        surgery = Surgery(model, keep_share=0.3, steps=STEPS)
        seen = 0

        def after_step(model: torch.nn.Module) -> None:
            nonlocal seen
            seen += 1
            surgery.after_step(model)
            if seen == stop_at:
                raise KeyboardInterrupt

        torch.manual_seed(1)
        train(model, an_objective(), a_training(folder, after_step))
        return logits(model), dataclasses.astuple(surgery.finish(model))

    whole = operated(tmp_path / "whole", stop_at=None)
    monkeypatch.setattr("pipeline.training.loop._CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        operated(tmp_path / "killed", stop_at=31)
    resumed = operated(tmp_path / "killed", stop_at=None)
    assert torch.equal(whole[0], resumed[0])
    assert whole[1] == resumed[1]


def test_a_model_without_a_matrix_is_refused() -> None:
    with pytest.raises(ArtifactError, match="no matrix"):
        Surgery(torch.nn.Linear(2, 2), keep_share=0.5, steps=1)
