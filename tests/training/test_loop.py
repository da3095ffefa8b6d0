"""The training loop learns, is deterministic, and survives a kill."""

import dataclasses
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.core.errors import TrainingError
from pipeline.text.batching import Ids, epoch_batches, lengths_of
from pipeline.training import loop
from pipeline.training.loop import Training, train
from pipeline.training.resume import Checkpoints
from tests.support.small_training import (
    OPTIMISATION,
    Separable,
    a_training,
    same,
    small_model,
    weights,
)


@pytest.fixture
def checkpoint_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", -1.0)


def trained(training: Training, *, seed: int | None = None) -> list[torch.Tensor]:
    """The weights of a small model after a training, before which the random state may change."""
    model = small_model()
    if seed is not None:
        torch.manual_seed(seed)
    train(model, Separable(), training)
    return weights(model)


def killed(training: Training, *, stop_at: int) -> Path:
    """The newest checkpoint of a training that was killed at a step."""
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=stop_at), training)
    return max(training.checkpoints._folder.rglob("*.safetensors"))


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    model, objective = small_model(), Separable()
    rows, device = np.arange(64), torch.device("cpu")
    model.eval()
    before = objective.loss(model, rows, device).item()
    train(model, objective, a_training(tmp_path))
    assert objective.loss(model, rows, device).item() < 0.5 * before


@pytest.mark.parametrize(("fewest", "steps"), [(0, 24), (24, 24), (25, 32), (100, 104)])
def test_few_rows_are_read_more_often_until_there_are_enough_steps(
    tmp_path: Path, fewest: int, steps: int
) -> None:
    training = dataclasses.replace(a_training(tmp_path), min_steps=fewest)
    assert training.steps == steps  # of 8 an epoch
    train(small_model(), Separable(), training)
    assert training.curve.points[-1]["step"] == steps


def test_two_trainings_give_the_same_weights(tmp_path: Path) -> None:
    assert same(*(trained(a_training(tmp_path / name)) for name in ("first", "second")))


@pytest.mark.usefixtures("checkpoint_every_step")
@pytest.mark.parametrize(
    ("stop_at", "average", "points"), [*product([2, 9, 20], [0.0, 0.9], [100]), (12, 0.0, 1)]
)
def test_a_killed_training_resumes_to_the_same_weights_and_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int, average: float, points: int
) -> None:
    monkeypatch.setattr(loop, "_CURVE_POINTS", points)
    whole, broken = (
        dataclasses.replace(a_training(tmp_path / name), average=average)
        for name in ("whole", "killed")
    )
    expected = trained(whole)
    # Checkpoints are written by time, in the middle of an epoch too.
    assert killed(broken, stop_at=stop_at).name == f"step-{stop_at - 1:08d}.safetensors"
    assert same(expected, trained(broken, seed=99))
    curves = [(tmp_path / name / "curve.csv").read_text() for name in ("whole", "killed")]
    assert curves[0] == curves[1]
    # A good end clears them.
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.usefixtures("checkpoint_every_step")
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = a_training(tmp_path / "killed")
    newest = killed(broken, stop_at=9)
    newest.write_bytes(newest.read_bytes()[:-4] + b"oops")
    assert same(trained(a_training(tmp_path / "whole")), trained(broken))
    assert "damaged" in capsys.readouterr().out


@pytest.mark.usefixtures("checkpoint_every_step")
def test_another_input_key_never_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(a_training(tmp_path), stop_at=9)
    monkeypatch.setenv("MODELYARD_INPUT_KEY", "other")
    model = small_model()
    optimizer = torch.optim.AdamW(model.parameters())
    assert Checkpoints(tmp_path / "checkpoints").resume(model, optimizer) is None


def test_a_loss_that_is_not_finite_names_step_and_rows(tmp_path: Path) -> None:
    class Broken(Separable):
        def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
            return super().loss(model, rows, device) * float("nan")

    with pytest.raises(TrainingError, match=r"loss is nan at step 0, rows \d+, \d+"):
        train(small_model(), Broken(), a_training(tmp_path))


def test_a_gradient_that_is_not_finite_names_the_rows_it_came_from_and_reaches_no_weight(
    tmp_path: Path,
) -> None:
    class Steep(Separable):
        def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
            loss = super().loss(model, rows, device)
            # sqrt is finite at 0, its slope is not
            return loss + (torch.sqrt(0 * loss) if 5 in rows else 0 * loss)

    model = small_model()
    training = dataclasses.replace(
        a_training(tmp_path), row_ids=[f"review-{number}" for number in range(64)]
    )
    with pytest.raises(
        TrainingError, match=r"gradient's norm is (nan|inf) at step \d, .*review-5\b"
    ):
        train(model, Steep(), training)
    assert all(weight.isfinite().all() for weight in weights(model))


def test_batches_hold_every_row_once_and_rows_of_like_length() -> None:
    random = np.random.default_rng(0)
    lengths = lengths_of([[0] * n for n in random.integers(3, 60, 1000)])
    batches = epoch_batches(lengths, batch_size=16, seed=1, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))
    padded = sum(int(lengths[b].max()) * len(b) for b in batches)
    assert padded < 1.1 * lengths.sum()


def test_epochs_differ_and_repeat() -> None:
    def order(epoch: int) -> Any:
        batches = epoch_batches(np.arange(1, 200), batch_size=4, seed=5, epoch=epoch)
        return np.concatenate(batches).tolist()

    assert order(0) == order(0) != order(1)


def test_a_frozen_parameter_is_left_as_it_was(tmp_path: Path) -> None:
    model = small_model()
    frozen = model.get_parameter("0.weight").requires_grad_(False)
    before, other = frozen.clone(), model.get_parameter("2.weight").clone()
    train(model, Separable(), a_training(tmp_path))
    assert torch.equal(frozen, before)
    assert not torch.equal(model.get_parameter("2.weight"), other)


def test_batches_summed_before_a_step_give_the_weights_of_one_larger_batch(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(64)

    def summed(size: int, accumulation: int) -> list[torch.Tensor]:
        torch.manual_seed(3)  # no dropout, which would draw other masks for other batches
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 2))
        training = dataclasses.replace(
            a_training(tmp_path / str(size)),
            optimisation=OPTIMISATION.model_copy(update={"accumulation": accumulation}),
            batches=lambda **_: [order[i : i + size] for i in range(0, 64, size)],
        )
        train(model, Separable(), training)
        return weights(model)

    whole = summed(16, 1)
    for parts in (summed(8, 2), summed(4, 4)):
        for ours, theirs in zip(whole, parts, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.usefixtures("checkpoint_every_step")
def test_training_stops_when_validation_no_longer_rises_and_takes_the_best_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, seen = [0.5, 0.8, 0.7, 0.7, 0.9, 0.9], []

    def validate(model: torch.nn.Module) -> dict[str, float]:
        seen.append(weights(model))
        return {"validation_accuracy": scores[len(seen) - 1]}

    training = dataclasses.replace(
        a_training(tmp_path),
        optimisation=OPTIMISATION.model_copy(update={"epochs": len(scores)}),
        validate=validate,
        patience=2,
    )

    def kill(_: Checkpoints) -> None:
        raise KeyboardInterrupt

    model = small_model()
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", kill)
        with pytest.raises(KeyboardInterrupt):
            train(model, Separable(), training)
    assert len(seen) == 4  # two epochs after the second were no better
    assert same(weights(model), seen[1])
    # Killed after the last epoch that patience allows, it learns nothing more.
    assert same(trained(training), seen[1])
    assert len(seen) == 4


@pytest.mark.usefixtures("checkpoint_every_step")
@pytest.mark.parametrize("stop_at", [None, 12, 20])
def test_a_killed_training_resumes_to_the_best_epoch_it_had_before(
    tmp_path: Path, stop_at: int | None
) -> None:
    seen = []

    def smallest(model: torch.nn.Module) -> dict[str, float]:
        seen.append(weights(model))
        return {"validation_accuracy": -float(model.get_parameter("0.weight").detach().norm())}

    training = dataclasses.replace(a_training(tmp_path), validate=smallest, patience=3)
    if stop_at is not None:
        killed(training, stop_at=stop_at)
    assert same(trained(training), seen[0])  # weights grow, so the first epoch's are the smallest
