"""How long one run of a model takes, by its number of tokens: measured once, as the model is loaded."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

_LENGTHS = (4, 16, 64, 256, 1024)
_RUNS = 3


@dataclass(frozen=True)
class RunTimes:
    """Milliseconds of a run; `by_length[n]` of one with n tokens."""

    by_length: tuple[float, ...]

    @classmethod
    def measure(cls, run: Callable[[int], object], *, longest: int) -> Self:
        """Measures a few lengths and takes what lies between them as straight lines.

        Args:
            run: runs the model on so many tokens.
            longest: most tokens of a run.
        """
        lengths = [*(length for length in _LENGTHS if length < longest), longest]
        found = np.interp(range(longest + 1), lengths, [_least(run, n) for n in lengths])
        return cls(tuple(found.tolist()))

    def of(self, tokens: int) -> float:
        """Milliseconds of a run with so many tokens, at most those of the longest."""
        known = self.by_length
        return known[tokens] if tokens < len(known) else known[-1]


def _least(run: Callable[[int], object], tokens: int) -> float:
    """The shortest of some runs, milliseconds: what else the machine does only makes them longer."""
    run(tokens)
    best = float("inf")
    for _ in range(_RUNS):
        start = time.perf_counter()
        run(tokens)
        best = min(best, 1000 * (time.perf_counter() - start))
    return best
