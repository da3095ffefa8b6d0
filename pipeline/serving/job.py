"""A job: the model's work for one request, in runs between which it can be left or ended."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

Work = Generator[float, None, Any]
"""Does one run after the other. Between two it yields the milliseconds that the rest may take, and it
returns the result with the last one."""


@dataclass(eq=False, slots=True)
class Job:
    """The work for one request, what it may cost, and what became of it.

    Attributes:
        work: the runs; no two of them at the same time.
        ended: called with the job, in the event loop, once it has a result or an error.
        arrived: when the request came, seconds of `time.perf_counter`.
        deadline: when its answer is of no use any more, the same clock.
        remaining: what it may still cost, milliseconds on a machine with nothing else to do.
        longest_run: what the longest of its runs may cost, milliseconds.
        language: whether it waits behind every text of its age.
        key: its place among those that wait; the lowest is next.
        waited: milliseconds before its first run; None before that.
        spent: milliseconds that its runs took.
        stopped: whether no more of it is to run.
    """

    work: Work
    ended: Callable[["Job"], None]
    arrived: float
    deadline: float
    remaining: float
    longest_run: float
    language: bool = False
    key: float = 0.0
    waited: float | None = None
    spent: float = 0.0
    stopped: bool = False
    result: Any = None
    error: Exception | None = field(default=None)
