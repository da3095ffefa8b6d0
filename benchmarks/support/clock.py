"""Times training steps, without the first ones and without pauses between them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback

_WARM_STEPS = 2


class StepClock:
    """Counts and times steps: call `step` after each."""

    def __init__(self) -> None:
        self.steps, self.seconds = 0, 0.0
        self._started, self._paused, self._warm = time.perf_counter(), 0.0, 0.0

    def step(self) -> None:
        """Counts a step."""
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


class ClockCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """A StepClock in a transformers Trainer; `after` is called with the model after each step."""

    def __init__(self, clock: StepClock | None = None, after: Any = None) -> None:
        self.clock, self._after = clock or StepClock(), after

    def on_step_end(self, *_: Any, **named: Any) -> None:
        """The Trainer's own hook."""
        self.clock.step()
        if self._after is not None:
            self._after(named["model"])
