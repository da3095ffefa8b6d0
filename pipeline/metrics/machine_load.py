"""How much else the machine does while something is timed: figures of speed count on a quiet one alone.

What others take is the processors' time less our own, from the kernel's counters: it is seen in a
container too, where the processes that took it are not. The load average is no use here: it is a mean of
minutes, and counts the process that asks.
"""

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import psutil

from pipeline.core.errors import BusyError

_SAMPLE_SECONDS = 1.0
_TOLD_SECONDS = 10.0
_CLOCK_SECONDS = 0.05
"""What the counters of a short time may be wrong by: they count ticks of 10 ms, each processor its own."""
_LEAST_SHARE = 0.9
"""Of one processor, for a thread that never waits: below it the thread was held up, whoever did that."""
_NAMED_SHARE = 0.1
_IDLE = ("idle", "iowait", "guest", "guest_nice")  # the kernel counts guests as user time, too

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Load:
    """Seconds of processors in a span of `seconds`: this process's own, and those of all others."""

    seconds: float
    own: float
    others: float


@dataclass(frozen=True)
class Moment:
    """Counters at one time, in seconds: the clock, this process's own work, and all work."""

    clock: float
    own: float
    busy: float

    @classmethod
    def now(cls) -> "Moment":
        """The counters as they stand."""
        each = psutil.cpu_times(percpu=True)
        busy = sum(
            seconds
            for number in processors()
            for name, seconds in each[number]._asdict().items()
            if name not in _IDLE
        )
        return cls(time.monotonic(), time.process_time(), busy)

    def until(self, end: "Moment") -> Load:
        """The load between this moment and a later one."""
        own = end.own - self.own
        others = max(0.0, end.busy - self.busy - own)
        return Load(seconds=end.clock - self.clock, own=own, others=others)


def processors() -> Collection[int]:
    """Numbers of the processors that this process may run on: others may work elsewhere as they like."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


@dataclass
class QuietMachine:
    """Says of each span of time whether the machine was quiet, and waits until it is.

    Attributes:
        limit: share of all processors that others may take; None takes every span for quiet.
        patience: seconds that may be lost by waiting and by spans that were not quiet, altogether.
    """

    limit: float | None
    patience: float
    say: Say
    now: Callable[[], Moment] = Moment.now
    sleep: Callable[[float], None] = time.sleep
    _lost: float = 0.0

    def __post_init__(self) -> None:
        self._start = self.now()

    def wait(self) -> None:
        """Returns when the machine is quiet.

        Raises:
            BusyError: the patience is used up; it names what takes the time.
        """
        told = 0.0
        while self.limit is not None:
            before = _times_of_processes()
            self._start = self.now()
            self.sleep(_SAMPLE_SECONDS)
            load = self._start.until(self.now())
            if self._allows(load):
                break
            busy = _busy(load, before)
            self._lose(load, busy)
            if self._lost >= told:
                self.say(f"waits for a quiet machine: {busy}")
                told = self._lost + _TOLD_SECONDS
        self._start = self.now()

    def was_quiet(self) -> bool:
        """Whether it was quiet since the last call, while this process computed; waits if it was not.

        Raises:
            BusyError: see `wait`.
        """
        load = self._start.until(self.now())
        held_up = load.own < _LEAST_SHARE * load.seconds - _CLOCK_SECONDS
        if self.limit is None or (self._allows(load) and not held_up):
            self._start = self.now()
            return True
        why = (
            f"this process got {load.own / load.seconds:.0%} of a processor"
            if held_up
            else _taken(load)
        )
        self.say(f"disturbed, these times do not count: {why}")
        self._lose(load, why)
        self.wait()
        return False

    def _lose(self, load: Load, busy: str) -> None:
        self._lost += load.seconds
        if self.limit is not None and self._lost >= self.patience:
            raise _too_busy(busy, self.limit, self.patience)

    def _allows(self, load: Load) -> bool:
        limit = self.limit if self.limit is not None else 1.0
        return load.others <= limit * len(processors()) * load.seconds + _CLOCK_SECONDS


def _times_of_processes() -> dict[int, float]:
    """Seconds of processor time of every other process that may be seen."""
    found = {}
    for process in psutil.process_iter(["cpu_times"]):
        if (times := process.info["cpu_times"]) is not None and process.pid != os.getpid():
            found[process.pid] = times.user + times.system
    return found


def _busy(load: Load, before: dict[int, float]) -> str:
    """Names what took processor time in a span."""
    shares = [
        (share, pid)
        for pid, seconds in _times_of_processes().items()
        if (share := (seconds - before.get(pid, seconds)) / load.seconds) >= _NAMED_SHARE
    ]
    named = [f"{_name(pid)} (process {pid}) {share:.0%}" for share, pid in sorted(shares)[:-4:-1]]
    seen = ", ".join(named) or "what cannot be seen from here, as another container"
    return f"{_taken(load)}: {seen}"


def _taken(load: Load) -> str:
    return f"other work takes {load.others / load.seconds:.2f} of {len(processors())} processors"


def _name(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return "ended"


def _too_busy(busy: str, limit: float, patience: float) -> BusyError:
    allowed = limit * len(processors())
    return BusyError(
        f"the machine is busy: {busy}",
        expected=f"others at or below {allowed:.2f} processors; {patience:.0f} s of waiting were not enough",
        next_step="run again when the machine is quiet, or raise `measure.max_other_load` (null: measure"
        " in any case)",
    )
