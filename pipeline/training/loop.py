"""The one training loop. What differs between trainings is the objective that it is given.

Deterministic: batches are a pure function of seed and epoch, and torch's random state travels in
the checkpoint, so a killed run resumes to the weights of an unbroken one, bit for bit.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from pipeline.core.errors import TrainingError
from pipeline.core.params import Compute, Schedule
from pipeline.core.progress import Progress
from pipeline.text.batching import Ids
from pipeline.training.average import EVERY, moving_average, take_over
from pipeline.training.curve import Curve
from pipeline.training.device import autocast, prepare_device
from pipeline.training.fast.dropout import quick_dropout
from pipeline.training.learning_rate import build_optimizer, clip_in_step, rate_factor
from pipeline.training.resume import Checkpoints

_CHECKPOINT_SECONDS = 60.0
_GRADIENT_NORM = 1.0
_CURVE_POINTS = 100


class Objective(Protocol):
    """What is learned: the loss of a batch of rows."""

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean loss over the batch's targets, a scalar with gradient."""

    def tokens(self, rows: Ids) -> int:
        """Tokens in the batch without padding, for the rate."""


Validate = Callable[[torch.nn.Module], dict[str, float]]
Batches = Callable[[int], list[Ids]]
AfterStep = Callable[[torch.nn.Module], None]


@dataclass(frozen=True)
class Training:
    """All that a run needs beside model and objective.

    Attributes:
        task: the stage's name, for progress and errors.
        batches: epoch number → row numbers of each batch; every epoch has as many.
        validate: figures for the curve after each epoch; names start with `validation_`.
        patience: epochs without a higher first figure of `validate` after which training ends; the
            weights of the best epoch are then kept. None trains to the end and keeps the last.
        after_step: called after each step with the model that would be left now, for those who watch.
        average: decay of the weights' moving average a step, which is what validation sees and what is
            left; 0 takes the weights of the last step.
        layer_of: parameter name → layer number counted from the head (0), for layer-wise rates.
        layer_decay: factor of the learning rate from one layer to the one below it.
        row_ids: what the rows are called in errors, by row number; None calls them by their numbers.
    """

    task: str
    schedule: Schedule
    compute: Compute
    batches: Batches
    checkpoints: Checkpoints
    curve: Curve
    validate: Validate | None = None
    patience: int | None = None
    after_step: AfterStep | None = None
    average: float = 0.0
    layer_of: Callable[[str], int] | None = None
    layer_decay: float = 1.0
    row_ids: Sequence[str] | None = None

    @property
    def epoch_steps(self) -> int:
        """Steps of the optimizer in an epoch."""
        return -(-len(self.batches(0)) // self.schedule.accumulation)

    @property
    def steps(self) -> int:
        """Steps of the optimizer in all epochs."""
        return self.epoch_steps * self.schedule.epochs


def train(model: torch.nn.Module, objective: Objective, training: Training) -> None:
    """Train `model` in place.

    Raises:
        TrainingError: a loss or a gradient is not finite; no weight has taken it in.
    """
    device = prepare_device(training.compute)
    model.to(device)
    optimizer = build_optimizer(
        model, training.schedule, layer_of=training.layer_of, layer_decay=training.layer_decay
    )
    average = moving_average(model, decay=training.average) if training.average else None
    run = _Run(model, objective, training, optimizer, device, average)
    if (resumed := training.checkpoints.resume(model, optimizer, average)) is not None:
        training.curve.restore(resumed.curve)
        run.losses = [*resumed.losses]
    run.run(resumed.step if resumed else 0)
    training.checkpoints.clear()
    model.eval()


class _Run:
    """One pass over all steps, from wherever the checkpoint left off."""

    def __init__(
        self,
        model: torch.nn.Module,
        objective: Objective,
        training: Training,
        optimizer: torch.optim.AdamW,
        device: torch.device,
        average: AveragedModel | None,
    ) -> None:
        self.model, self.objective, self.training = model, objective, training
        self.optimizer, self.device, self.average = optimizer, device, average
        self.epoch_steps, self.total = training.epoch_steps, training.steps
        self.checkpointed = time.monotonic()
        self.losses: list[float] = []

    def run(self, first: int) -> None:
        progress = Progress(self.training.task, self.total, done=first)
        started, tokens = time.monotonic(), 0
        # Killed after the last epoch that patience allowed, there is nothing left to do.
        over = first > 0 and first % self.epoch_steps == 0 and self._is_over()
        for step, batches in () if over else self._steps(first):
            self.losses.append(self._step(step, batches))
            tokens += sum(self.objective.tokens(rows) for rows in batches)
            rate = tokens / (time.monotonic() - started)
            progress.update(step + 1, loss=self.losses[-1], **{"tokens/s": rate})
            self._after(step + 1)
            if (step + 1) % self.epoch_steps == 0 and self._is_over():
                break
        if self.training.patience is not None:
            self.training.checkpoints.restore_best(self.model)
        elif self.average is not None:
            take_over(self.model, self.average)

    @property
    def left(self) -> torch.nn.Module:
        """The model that the training would leave now."""
        return self.model if self.average is None else self.average.module

    def _steps(self, first: int) -> Iterator[tuple[int, list[Ids]]]:
        """The number of each step from `first` on, and the batches whose gradients it sums."""
        size = self.training.schedule.accumulation
        for epoch in range(first // self.epoch_steps, self.training.schedule.epochs):
            batches = self.training.batches(epoch)
            for index in range(self.epoch_steps):
                if (step := epoch * self.epoch_steps + index) >= first:
                    yield step, batches[index * size : (index + 1) * size]

    def _step(self, step: int, batches: list[Ids]) -> float:
        self.model.train()
        scale = rate_factor(
            step, total=self.total, warmup_share=self.training.schedule.warmup_share
        )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * scale
        self.optimizer.zero_grad(set_to_none=True)
        rows = sum(len(batch) for batch in batches)
        value = sum(self._learn(step, batch, share=len(batch) / rows) for batch in batches)
        norm = clip_in_step(self.optimizer, _GRADIENT_NORM)
        self._require_finite("the gradient's norm", norm, step, np.concatenate(batches))
        self.optimizer.step()
        if self.average is not None and ((step + 1) % EVERY == 0 or step + 1 == self.total):
            self.average.update_parameters(self.model)
        if self.training.after_step is not None:
            self.training.after_step(self.left)
        return value

    def _learn(self, step: int, rows: Ids, *, share: float) -> float:
        """Add the gradient of one batch, weighted by its share of the step's rows; returns its part of the loss."""
        with autocast(self.training.compute, self.device), quick_dropout():
            loss = self.objective.loss(self.model, rows, self.device) * share
        value = float(loss.detach())
        self._require_finite("loss", value, step, rows)
        loss.backward()  # type: ignore[no-untyped-call]
        return value

    def _require_finite(self, what: str, value: float, step: int, rows: Ids) -> None:
        if math.isfinite(value):
            return
        ids = self.training.row_ids
        named = rows.tolist() if ids is None else [ids[row] for row in rows]
        raise TrainingError(
            f"{self.training.task}: {what} is {value} at step {step}, rows {', '.join(map(str, named))}",
            expected="finite numbers",
            next_step="lower the learning rate, or look at these rows",
        )

    def _after(self, step: int) -> None:
        every = max(1, self.total // _CURVE_POINTS)
        if step % every == 0 or step % self.epoch_steps == 0:
            rate = max(group["lr"] for group in self.optimizer.param_groups)
            point = {"step": step, "loss": float(np.mean(self.losses)), "learning_rate": rate}
            self.losses.clear()
            self.training.curve.add(point | self._validation(step))
        if time.monotonic() - self.checkpointed > _CHECKPOINT_SECONDS and step < self.total:
            self._checkpoint(step)

    def _validation(self, step: int) -> dict[str, float]:
        if self.training.validate is None or step % self.epoch_steps:
            return {}
        state = torch.get_rng_state()
        figures = self.training.validate(self.left)
        torch.set_rng_state(state)
        if self.training.patience is not None and self._is_best(next(iter(figures.values()))):
            self.training.checkpoints.save_best(self.left)
        return figures

    def _is_best(self, figure: float) -> bool:
        return figure > max(self._scores(), default=-math.inf)

    def _scores(self) -> list[float]:
        """The first figure that validation gave, at each epoch's end so far."""
        by_epoch = (
            [value for name, value in point.items() if name.startswith("validation_")]
            for point in self.training.curve.points
        )
        return [figures[0] for figures in by_epoch if figures]

    def _is_over(self) -> bool:
        """Whether as many epochs as `patience` says have gone by since the best."""
        scores = self._scores()
        if self.training.patience is None or not scores:
            return False
        return len(scores) - 1 - scores.index(max(scores)) >= self.training.patience

    def _checkpoint(self, step: int) -> None:
        self.training.checkpoints.save(
            self.model,
            self.optimizer,
            self.average,
            step=step,
            curve=self.training.curve.points,
            losses=self.losses,
        )
        self.checkpointed = time.monotonic()
