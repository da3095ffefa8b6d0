"""How fast the processor works: on a shared host it slows down at times, and no counter shows it.

A fixed piece of arithmetic is timed beside what is measured. Where it takes longer than it is known to
take on this machine, another guest or heat holds the processor back, and other times are longer, too.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, write_json
from pipeline.core.process_identity import this_process

_SUMMANDS = 10_000
_TIMES = 50
"""How often the arithmetic is done at the end of a round: some hundredths of a second in all."""
_QUARTILE = 25
_TOLERATED = 1.05
_FILE = "speed.json"

Say = Callable[[str], None]


def arithmetic() -> object:
    """Does a piece of work that is the same on every machine, half a millisecond or so."""
    return sum(number * number for number in range(_SUMMANDS))


def known_speed(folder: Path) -> float:
    """Milliseconds that the arithmetic took at best since this machine started; infinity where none is known."""
    with suppress(ArtifactError, KeyError, TypeError, ValueError):
        kept = read_json(folder / _FILE)
        if kept["boot"] == this_process().boot:
            return float(kept["arithmetic_ms"])
    return math.inf


def keep_speed(folder: Path, arithmetic_ms: float) -> None:
    """Keeps what `known_speed` is to find; another one replaces what was kept."""
    write_json(folder / _FILE, {"boot": this_process().boot, "arithmetic_ms": arithmetic_ms})


@dataclass
class SteadySpeed:
    """Says of each round whether the processor ran at the speed that it is known to have.

    Attributes:
        best_ms: the least time that the arithmetic is known to take here, milliseconds.
        patience: seconds of rounds that may be lost altogether; after them every round counts.
    """

    best_ms: float
    patience: float
    say: Say
    work: Callable[[], object] = arithmetic
    clock: Callable[[], float] = time.perf_counter
    _times: list[float] = field(default_factory=list)
    _lost: float = 0.0

    def __post_init__(self) -> None:
        self._started = self.clock()

    def request(self) -> None:
        """Does the arithmetic, as one of the requests of a round."""
        before = self.clock()
        self.work()
        self._times.append(self.clock() - before)

    def was_steady(self) -> bool:
        """Whether the arithmetic took its usual time since the last call."""
        for _ in range(_TIMES):
            self.request()
        taken = 1000 * float(np.percentile(self._times, _QUARTILE))
        seconds = self.clock() - self._started
        self._times.clear()
        self._started = self.clock()
        self.best_ms = min(self.best_ms, taken)
        if taken <= _TOLERATED * self.best_ms or self._lost >= self.patience:
            return True
        is_first = self._lost == 0
        self._lost += seconds
        told = f"the processor runs at {self.best_ms / taken:.0%} of the speed that it has had here"
        if self._lost >= self.patience:
            self.say(f"{told}; it is measured as it is, for waiting did not help")
            return True
        if is_first:
            self.say(f"{told}: such rounds are measured again, for {self.patience:.0f} s at most")
        return False
