"""The training loop learns, is deterministic, and survives a kill."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.core.errors import TrainingError
from pipeline.text.batching import Ids, epoch_batches, lengths_of
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
    monkeypatch.setattr("pipeline.training.loop._CHECKPOINT_SECONDS", -1.0)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    model, objective = small_model(), Separable()
    rows, device = np.arange(64), torch.device("cpu")
    model.eval()
    before = objective.loss(model, rows, device).item()
    train(model, objective, a_training(tmp_path))
    assert objective.loss(model, rows, device).item() < 0.5 * before


def test_two_trainings_give_the_same_weights(tmp_path: Path) -> None:
    results = []
    for name in ("first", "second"):
        model = small_model()
        train(model, Separable(), a_training(tmp_path / name))
        results.append(weights(model))
    assert same(*results)


@pytest.mark.usefixtures("checkpoint_every_step")
@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("stop_at", [2, 9, 20])
def test_a_killed_training_resumes_to_the_same_weights_and_curve(
    tmp_path: Path, stop_at: int, average: float
) -> None:
    def in_folder(name: str) -> Training:
        return dataclasses.replace(a_training(tmp_path / name), average=average)

    whole = small_model()
    train(whole, Separable(), in_folder("whole"))
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=stop_at), in_folder("killed"))
    resumed = small_model()
    torch.manual_seed(99)
    train(resumed, Separable(), in_folder("killed"))
    assert same(weights(whole), weights(resumed))
    curves = [(tmp_path / n / "curve.csv").read_text() for n in ("whole", "killed")]
    assert curves[0] == curves[1]


@pytest.mark.usefixtures("checkpoint_every_step")
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = small_model()
    train(whole, Separable(), a_training(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=9), a_training(tmp_path / "killed"))
    newest = max((tmp_path / "killed" / "checkpoints").rglob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-4] + b"oops")
    resumed = small_model()
    train(resumed, Separable(), a_training(tmp_path / "killed"))
    assert "damaged" in capsys.readouterr().out
    assert same(weights(whole), weights(resumed))


def test_checkpoints_are_cleared_after_a_good_end(
    tmp_path: Path, checkpoint_every_step: None
) -> None:
    train(small_model(), Separable(), a_training(tmp_path))
    assert not list((tmp_path / "checkpoints").rglob("*.safetensors"))


def test_another_input_key_never_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_every_step: None
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=9), a_training(tmp_path))
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
    def order(epoch: int) -> list[int]:
        lengths: Callable[[], Ids] = lambda: np.arange(1, 200)  # noqa: E731
        batches = epoch_batches(lengths(), batch_size=4, seed=5, epoch=epoch)
        return [int(row) for batch in batches for row in batch]

    assert order(0) == order(0)
    assert order(0) != order(1)


def test_a_frozen_parameter_is_left_as_it_was(tmp_path: Path) -> None:
    model = small_model()
    frozen = model.get_parameter("0.weight").requires_grad_(False)
    before, other = frozen.clone(), model.get_parameter("2.weight").clone()
    train(model, Separable(), a_training(tmp_path))
    assert torch.equal(frozen, before)
    assert not torch.equal(model.get_parameter("2.weight"), other)


def test_batches_summed_before_a_step_give_the_weights_of_one_larger_batch(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(64)

    def trained(size: int, accumulation: int) -> list[torch.Tensor]:
        torch.manual_seed(3)  # no dropout, which would draw other masks for other batches
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 2))
        training = dataclasses.replace(
            a_training(tmp_path / str(size)),
            optimisation=OPTIMISATION.model_copy(update={"accumulation": accumulation}),
            batches=lambda **_: [order[i : i + size] for i in range(0, 64, size)],
        )
        train(model, Separable(), training)
        return weights(model)

    whole = trained(16, 1)
    for parts in (trained(8, 2), trained(4, 4)):
        for ours, theirs in zip(whole, parts, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


def stopping(folder: Path, scores: list[float], *, patience: int, seen: list[Any]) -> Training:
    """A training whose validation returns `scores` in turn and adds the weights to `seen`."""

    def validate(model: torch.nn.Module) -> dict[str, float]:
        seen.append(weights(model))
        return {"validation_accuracy": scores[len(seen) - 1]}

    return dataclasses.replace(
        a_training(folder),
        optimisation=OPTIMISATION.model_copy(update={"epochs": len(scores)}),
        validate=validate,
        patience=patience,
    )


def test_training_stops_when_validation_no_longer_rises_and_takes_the_best_epoch(
    tmp_path: Path,
) -> None:
    model = small_model()
    seen: list[Any] = []
    scores = [0.5, 0.8, 0.7, 0.7, 0.9, 0.9]
    train(model, Separable(), stopping(tmp_path, scores, patience=2, seen=seen))
    assert len(seen) == 4  # two epochs after the second were no better
    assert same(weights(model), seen[1])


@pytest.mark.usefixtures("checkpoint_every_step")
def test_killed_after_the_last_epoch_that_patience_allows_nothing_more_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    training = stopping(tmp_path, [0.5, 0.8, 0.7, 0.7, 0.9, 0.9], patience=2, seen=seen)

    def kill(_: Checkpoints) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", kill)
        with pytest.raises(KeyboardInterrupt):
            train(small_model(), Separable(), training)
    resumed = small_model()
    train(resumed, Separable(), training)
    assert len(seen) == 4
    assert same(weights(resumed), seen[1])


@pytest.mark.usefixtures("checkpoint_every_step")
@pytest.mark.parametrize("stop_at", [12, 20])
def test_a_killed_training_resumes_to_the_best_epoch_it_had_before(
    tmp_path: Path, stop_at: int
) -> None:
    seen: list[Any] = []

    def smallest(model: torch.nn.Module) -> dict[str, float]:
        seen.append(weights(model))
        return {"validation_accuracy": -float(model.get_parameter("0.weight").detach().norm())}

    def training(name: str) -> Training:
        return dataclasses.replace(a_training(tmp_path / name), validate=smallest, patience=3)

    whole, resumed = small_model(), small_model()
    train(whole, Separable(), training("whole"))
    assert same(weights(whole), seen[0])  # weights grow, so the first epoch's are the smallest
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=stop_at), training("killed"))
    train(resumed, Separable(), training("killed"))
    assert same(weights(whole), weights(resumed))


def test_checkpoints_are_written_by_time_in_the_middle_of_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.training.loop._CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr("pipeline.training.loop._CURVE_POINTS", 1)
    whole, resumed = small_model(), small_model()
    train(whole, Separable(), a_training(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train(small_model(), Separable(stop_at=12), a_training(tmp_path / "killed"))
    newest = max((tmp_path / "killed" / "checkpoints").rglob("*.safetensors"))
    assert newest.name == "step-00000011.safetensors"
    train(resumed, Separable(), a_training(tmp_path / "killed"))
    assert same(weights(whole), weights(resumed))
    curves = [(tmp_path / n / "curve.csv").read_text() for n in ("whole", "killed")]
    assert curves[0] == curves[1]
