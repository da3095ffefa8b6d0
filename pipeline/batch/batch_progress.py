"""Says how far a batch is, how many rows a second it answers, and how long the rest will take."""

import time

from pipeline.batch.input_parts import InputPart
from pipeline.core.progress import Progress, say

_TASK = "batch"
_SILENT_SECONDS = 5.0
"""How long nothing is said where no time can be foretold."""


class BatchProgress:
    """Counts parts that are done, by the lines of the file that they take.

    Args:
        lines: about how many lines the file has; 0 where that cannot be told, and then no time is foretold.
    """

    def __init__(self, lines: int) -> None:
        self._lines, self._done, self._rows = lines, 0, 0
        self._progress: Progress | None = None
        self._started = self._spoke = time.monotonic()

    def skip(self, part: InputPart) -> None:
        """Takes a part that was done before."""
        self._done += part.lines

    def start(self) -> None:
        """Says that the work begins."""
        self._started = self._spoke = time.monotonic()
        if self._lines:
            self._progress = Progress(_TASK, self._lines, done=self._at)

    def add(self, part: InputPart) -> None:
        """Takes a part that is answered and written."""
        self._done += part.lines
        self._rows += part.rows
        rate = self._rows / max(time.monotonic() - self._started, 1e-9)
        if self._progress is not None:
            self._progress.update(self._at, **{"rows/s": rate})
        elif time.monotonic() - self._spoke >= _SILENT_SECONDS:
            self._spoke = time.monotonic()
            say(f"{_TASK}  {self._rows:,} rows answered  rows/s {rate:,.0f}")

    @property
    def _at(self) -> int:
        """Lines that are done, always fewer than all: how many these are is an estimate."""
        return min(self._done, max(self._lines - 1, 0))
