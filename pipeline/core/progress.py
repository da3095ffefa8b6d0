"""Progress lines of a stage: step, rate, time left.

They are printed at most every `interval` seconds, few enough for a terminal, a log and the Prefect
UI, and often enough that long work is never silent.
"""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

INTERVAL_SECONDS = 5.0


class Progress:
    """Prints a count towards a total: `finetune  120/560  21%  loss 0.41  3m10s left`.

    Args:
        later: work of the same stage that follows, in the unit of `total`. The lines then say how long
            the stage takes, too: `3m10s left, 5m40s of the stage`.
    """

    def __init__(
        self,
        task: str,
        total: int,
        *,
        done: int = 0,
        later: float = 0.0,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self._task, self._total, self._first, self._interval = task, total, done, interval
        self._later = later
        self._started = time.monotonic()
        self._spoke = self._started
        if total:  # of no work there is nothing to tell
            say(f"{task}  {done}/{total}")

    def update(self, done: int, **figures: str | float) -> None:
        """Takes the count of what is done; prints a line when it is time for one."""
        now = time.monotonic()
        if not self._total or (now - self._spoke < self._interval and done < self._total):
            return
        self._spoke, elapsed = now, now - self._started
        worked = max(done - self._first, 1)
        left = elapsed / worked * max(self._total - done, 0)
        whole = left + elapsed / worked * self._later
        shown = "  ".join(f"{name} {_figure(value)}" for name, value in figures.items())
        tail = f"{_duration(left)} left" if done < self._total else f"in {_duration(elapsed)}"
        tail += f", {_duration(whole)} of the stage" if self._later else ""
        share = 100 * done // max(self._total, 1)
        say(f"{self._task}  {done}/{self._total}  {share}%  {shown}{'  ' if shown else ''}{tail}")


def track(items: Iterable[Item], task: str, total: int) -> Iterator[Item]:
    """Yields `items` and reports how many were taken."""
    progress = Progress(task, total)
    for done, item in enumerate(items, start=1):
        yield item
        progress.update(done)


def say(text: str) -> None:
    """Prints one line for the person who watches."""
    print(text, flush=True)


def _figure(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
