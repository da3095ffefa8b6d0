"""A training that is watched: its speed, and how good it is after so many seconds."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.support.clock import StepClock

Accuracy = Callable[[torch.nn.Module], float]


@dataclass(frozen=True)
class Run:
    """Result of one training.

    Attributes:
        curve: seconds of training, and validation accuracy then.
    """

    tokens_per_second: float
    curve: list[tuple[float, float]]


class ReachedError(Exception):
    """The accuracy that a training was to reach is there."""


class Watch:
    """Times steps, and validates every so many of them without counting that.

    Args:
        accuracy: of a model on validation rows.
        until: validation accuracy at which it raises ReachedError.
    """

    def __init__(
        self, accuracy: Accuracy, *, steps: int, evaluations: int, until: float = math.inf
    ) -> None:
        self._accuracy, self._until = accuracy, until
        self._every = max(1, steps // evaluations) if evaluations else 0
        self.clock = StepClock()
        self.curve: list[tuple[float, float]] = []

    def after_step(self, model: torch.nn.Module) -> None:
        """Our engine's hook."""
        self.clock.step()
        self.look(model)

    def look(self, model: torch.nn.Module) -> None:
        """Validate, where it is time to."""
        if self._every and self.clock.steps % self._every == 0:
            with self.clock.paused():
                self.curve.append((self.clock.seconds, self._accuracy(model)))
            if self.curve[-1][1] >= self._until:
                raise ReachedError

    def run(self, tokens: int) -> Run:
        """`tokens`: of all steps together."""
        return Run(tokens / self.clock.steps * self.clock.steps_per_second, self.curve)
