"""The one training loop. Trainings differ in the objective and the settings that they pass to it.

It is deterministic: batches are a pure function of seed and epoch, and torch's random state is part
of the checkpoint, so a run that was killed and resumed ends with exactly the
weights of one that was not.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from pipeline.core.errors import TrainingError
from pipeline.core.product import Compute
from pipeline.core.progress import Progress
from pipeline.core.training_sections import OptimisationParams
from pipeline.text.batching import Ids
from pipeline.training.average import EVERY, moving_average, take_over
from pipeline.training.curve import Curve
from pipeline.training.device import autocast, prepare_device
from pipeline.training.fast.clipping import clip_in_step
from pipeline.training.fast.functions import quick_functions
from pipeline.training.learning_rate import rate_factor
from pipeline.training.optimizer import LayerRates, build_optimizer
from pipeline.training.resume import Checkpoints

_CHECKPOINT_SECONDS = 60.0
_GRADIENT_NORM = 1.0
_CURVE_POINTS = 100


class Objective(Protocol):
    """The quantity that training minimises, as the loss of a batch of row numbers."""

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Mean loss over the batch's targets, a scalar with gradient."""

    def tokens(self, rows: Ids) -> int:
        """The number of tokens in the batch without padding, to show tokens per second."""


class Batches(Protocol):
    """How the rows of an epoch are cut into batches; a pure function."""

    def __call__(self, *, batch_size: int, seed: int, epoch: int) -> list[Ids]:
        """The row numbers of each batch; every epoch has the same number of batches."""


Validate = Callable[[torch.nn.Module], dict[str, float]]
AfterStep = Callable[[torch.nn.Module], None]


@dataclass(frozen=True, kw_only=True)
class Training:
    """All settings of a training except its model and objective.

    Attributes:
        task: the name shown in progress and errors, usually the stage's.
        compute: threads, device, precision, and the seed of the batches.
        validate: returns figures for the curve after each epoch; their names start with
            `validation_`.
        patience: training stops when the first figure of `validate` has not improved for this many
            epochs, and restores the best epoch's weights. None trains all epochs.
        after_step: called after each step with the averaged model, or the model if there is none.
        average: decay of the weights' moving average, per step. The average is what validation sees
            and what training returns; 0 uses the weights of the last step.
        layer_rates: learning rates by layer; None trains all layers at one rate.
        row_ids: names of the rows in errors, by row number; None shows the numbers.
        min_steps: more passes than `optimisation.epochs` are made until there are as many steps.
        later_tokens: what the stage's later trainings of this model read in all, so that progress says
            how long the stage takes.
    """

    task: str
    optimisation: OptimisationParams
    compute: Compute
    batches: Batches
    checkpoints: Checkpoints
    curve: Curve
    validate: Validate | None = None
    patience: int | None = None
    after_step: AfterStep | None = None
    average: float = 0.0
    layer_rates: LayerRates | None = None
    row_ids: Sequence[str] | None = None
    min_steps: int = 0
    later_tokens: int = 0

    def epoch_batches(self, epoch: int) -> list[Ids]:
        """The row numbers of each batch of an epoch."""
        size = self.optimisation.batch_size
        return self.batches(batch_size=size, seed=self.compute.seed, epoch=epoch)

    @property
    def epoch_steps(self) -> int:
        """Optimizer steps in an epoch."""
        return -(-len(self.epoch_batches(0)) // self.optimisation.accumulation)

    @property
    def epochs(self) -> int:
        """Passes over all rows: as many as asked for, or more where the rows are few."""
        return max(self.optimisation.epochs, -(-self.min_steps // self.epoch_steps))

    @property
    def steps(self) -> int:
        """Optimizer steps in all epochs."""
        return self.epoch_steps * self.epochs


def train(model: torch.nn.Module, objective: Objective, training: Training) -> None:
    """Trains `model` in place, from its newest checkpoint if there is one.

    Raises:
        TrainingError: a loss or gradient is not finite; no weight has been changed by it.
    """
    run = _Run(model, objective, training)
    first = run.resume()
    # It may have been killed after patience ran out, before it returned: no step is left then.
    if not (first > 0 and first % run.epoch_steps == 0 and run.is_over()):
        run.run(first)
    if training.patience is not None:
        training.checkpoints.restore_best(model)
    elif run.average is not None:
        take_over(model, run.average)
    training.checkpoints.clear()
    model.eval()


class _Run:
    """A training under way."""

    def __init__(self, model: torch.nn.Module, objective: Objective, training: Training) -> None:
        self.model, self.objective, self.training = model, objective, training
        self.device = prepare_device(training.compute)
        model.to(self.device)
        rates, decay = training.layer_rates, training.average
        self.optimizer = build_optimizer(model, training.optimisation, layer_rates=rates)
        self.average = moving_average(model, decay=decay) if decay else None
        self.epoch_steps, self.total = training.epoch_steps, training.steps
        self.losses: list[float] = []  # of the steps since the curve's last point
        self.checkpointed = time.monotonic()

    def resume(self) -> int:
        """Goes back to the newest checkpoint; returns how many steps are done."""
        resumed = self.training.checkpoints.resume(self.model, self.optimizer, self.average)
        if resumed is None:
            return 0
        self.training.curve.restore(resumed.curve)
        self.losses = resumed.losses
        return resumed.step

    def run(self, first: int) -> None:
        """Does the steps from `first` on."""
        later = self.training.later_tokens / self._step_tokens()
        progress = Progress(self.training.task, self.total, done=first, later=later)
        started, tokens = time.monotonic(), 0
        for step, batches in self._steps(first):
            self.losses.append(self._step(step, batches))
            tokens += sum(self.objective.tokens(rows) for rows in batches)
            rate = tokens / (time.monotonic() - started)
            progress.update(step + 1, loss=self.losses[-1], **{"tokens/s": rate})
            self._after(step + 1)
            if (step + 1) % self.epoch_steps == 0 and self.is_over():
                return

    def _step_tokens(self) -> float:
        """Tokens of a step, by the first epoch's mean; 1 where no later training asks for it."""
        if not self.training.later_tokens:
            return 1.0
        batches = self.training.epoch_batches(0)
        return sum(map(self.objective.tokens, batches)) / self.epoch_steps

    @property
    def resulting_model(self) -> torch.nn.Module:
        """The averaged model, or the model itself if there is no average."""
        return self.model if self.average is None else self.average.module

    def _steps(self, first: int) -> Iterator[tuple[int, list[Ids]]]:
        """Yields each step's number, from `first` on, and the batches whose gradients it sums."""
        size = self.training.optimisation.accumulation
        for epoch in range(first // self.epoch_steps, self.training.epochs):
            batches = self.training.epoch_batches(epoch)
            for index in range(self.epoch_steps):
                if (step := epoch * self.epoch_steps + index) >= first:
                    yield step, batches[index * size : (index + 1) * size]

    def _step(self, step: int, batches: list[Ids]) -> float:
        self.model.train()
        warmup_share = self.training.optimisation.warmup_share
        scale = rate_factor(step, total=self.total, warmup_share=warmup_share)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * scale
        self.optimizer.zero_grad(set_to_none=True)
        rows = sum(len(batch) for batch in batches)
        value = sum(self._learn(step, batch, share=len(batch) / rows) for batch in batches)
        norm = clip_in_step(self.optimizer, _GRADIENT_NORM)
        self._require_finite("the gradient's norm", norm, step=step, rows=np.concatenate(batches))
        self.optimizer.step()
        if self.average is not None and ((step + 1) % EVERY == 0 or step + 1 == self.total):
            self.average.update_parameters(self.model)
        if self.training.after_step is not None:
            self.training.after_step(self.resulting_model)
        return value

    def _learn(self, step: int, rows: Ids, *, share: float) -> float:
        """Adds a batch's gradient, weighted by its share of the step's rows; returns its loss so."""
        with autocast(self.training.compute, self.device), quick_functions():
            loss = self.objective.loss(self.model, rows, self.device) * share
        value = float(loss.detach())
        self._require_finite("loss", value, step=step, rows=rows)
        loss.backward()  # type: ignore[no-untyped-call]
        return value

    def _require_finite(self, what: str, value: float, *, step: int, rows: Ids) -> None:
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
            self.training.checkpoints.save(
                self.model,
                self.optimizer,
                self.average,
                step=step,
                curve=self.training.curve.points,
                losses=self.losses,
            )
            self.checkpointed = time.monotonic()

    def _validation(self, step: int) -> dict[str, float]:
        if self.training.validate is None or step % self.epoch_steps:
            return {}
        state = torch.get_rng_state()
        figures = self.training.validate(self.resulting_model)
        torch.set_rng_state(state)
        best_before = max(self._scores(), default=-math.inf)
        if self.training.patience is not None and next(iter(figures.values())) > best_before:
            self.training.checkpoints.save_best(self.resulting_model)
        return figures

    def _scores(self) -> list[float]:
        """The first validation figure of each epoch so far."""
        by_point = (
            next((value for name, value in point.items() if name.startswith("validation_")), None)
            for point in self.training.curve.points
        )
        return [figure for figure in by_point if figure is not None]

    def is_over(self) -> bool:
        """Whether the best epoch is at least `patience` epochs ago."""
        scores = self._scores()
        if self.training.patience is None or not scores:
            return False
        return len(scores) - 1 - scores.index(max(scores)) >= self.training.patience
