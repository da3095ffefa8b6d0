"""Measures a training: its speed, and its validation accuracy over time."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.support.clock import StepClock

Accuracy = Callable[[torch.nn.Module], float]


@dataclass(frozen=True)
class Run:
    """The measurements of one training.

    Attributes:
        curve: pairs of seconds of training and validation accuracy at that time.
    """

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
        """The hook for our engine."""
        self.clock.step()
        self.look(model)

    def look(self, model: torch.nn.Module) -> None:
        """Validates if this step is due."""
        if self._every and self.clock.steps % self._every == 0:
            with self.clock.paused():
                self.curve.append((self.clock.seconds, self._accuracy(model)))
            if self.curve[-1][1] >= self._until:
                raise ReachedError

    def run(self, tokens: int) -> Run:
        """The measurements so far; `tokens` is the number in all steps."""
        return Run(tokens / self.clock.steps * self.clock.steps_per_second, self.curve)
