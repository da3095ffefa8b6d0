"""Measures a training: its speed, without the first steps and pauses, and its accuracy over time."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback

_WARM_STEPS = 2

Accuracy = Callable[[torch.nn.Module], float]


class StepClock:
    """Counts and times steps: call `step` after each."""

    def __init__(self) -> None:
        self.steps, self.seconds = 0, 0.0
        self._started, self._paused, self._warm = time.perf_counter(), 0.0, 0.0

    def step(self) -> None:
        self.steps += 1
        self.seconds = time.perf_counter() - self._started - self._paused
        if self.steps == _WARM_STEPS:
            self._warm = self.seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Excludes the block from the time."""
        before = time.perf_counter()
        yield
        self._paused += time.perf_counter() - before

    @property
    def steps_per_second(self) -> float:
        """The rate over all steps but the first two."""
        return (self.steps - _WARM_STEPS) / (self.seconds - self._warm)


class StepCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Calls `after_step` with the model after each step of a transformers Trainer."""

    def __init__(self, after_step: Callable[[torch.nn.Module], None]) -> None:
        self._after_step = after_step

    def on_step_end(self, *_: Any, **named: Any) -> None:
        self._after_step(named["model"])


@dataclass(frozen=True)
class Run:
    """The measurements of one training; `curve` is pairs of seconds and validation accuracy then."""

    tokens_per_second: float
    curve: list[tuple[float, float]]


class ReachedError(Exception):
    """The training has reached its target accuracy."""


class Watch:
    """Times the steps of a training, and validates at regular intervals, which is not timed.

    Args:
        accuracy: measures a model on validation rows.
        until: validation accuracy at which ReachedError is raised.
    """

    def __init__(
        self, accuracy: Accuracy, *, steps: int, evaluations: int, until: float = math.inf
    ) -> None:
        self._accuracy, self._until = accuracy, until
        self._every = max(1, steps // evaluations) if evaluations else 0
        self.clock = StepClock()
        self.curve: list[tuple[float, float]] = []

    def after_step(self, model: torch.nn.Module) -> None:
        """Counts a step, and validates if it is due."""
        self.clock.step()
        if self._every and self.clock.steps % self._every == 0:
            with self.clock.paused():
                self.curve.append((self.clock.seconds, self._accuracy(model)))
            if self.curve[-1][1] >= self._until:
                raise ReachedError

    def run(self, tokens: int) -> Run:
        """The measurements so far; `tokens` is the number in all steps."""
        return Run(tokens / self.clock.steps * self.clock.steps_per_second, self.curve)
