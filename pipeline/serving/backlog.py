"""The jobs that wait, in the order in which they run.

Shortest first, with ageing: a job has the place that it would have by order of arrival, had it come
later by its *patience*, which grows with its cost. So what takes a moment passes what takes long, but
nothing is passed by what came a second and a half later, and a job whose deadline is near is passed
by nothing. A place never changes, and what is ahead of a place is a sum.
"""

from bisect import bisect_right
from collections.abc import Callable

from pipeline.serving.job import Job
from pipeline.serving.order import Order

PATIENCE_SECONDS = 0.75
"""The patience of a job of `LARGE_MS` and more."""
LARGE_MS = 100.0
LANGUAGE_PATIENCE_SECONDS = 1.5
_LATEST_START = 1.5
"""A job starts so many times its cost before its deadline, whatever else waits."""


def place(job: Job, order: Order) -> float:
    """The key of a job: seconds, the lowest runs next."""
    if order == "arrival":
        return job.arrived
    if job.language:
        patience = LANGUAGE_PATIENCE_SECONDS
    else:
        patience = PATIENCE_SECONDS * min(1.0, job.remaining / LARGE_MS)
    latest = job.deadline - _LATEST_START * job.remaining / 1000
    return job.arrived + max(0.0, min(patience, latest - job.arrived))


class Backlog:
    """Jobs by their place.

    Attributes:
        milliseconds: what all of them may cost.
    """

    def __init__(self) -> None:
        self._keys: list[float] = []
        self._jobs: list[Job] = []
        self.milliseconds = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Puts a job at its place, behind those of the same key."""
        at = bisect_right(self._keys, job.key)
        self._keys.insert(at, job.key)
        self._jobs.insert(at, job)
        self.milliseconds += job.remaining

    def take(self, may_run: Callable[[Job], bool]) -> Job | None:
        """Removes the first job that may run; None where none may."""
        for at, job in enumerate(self._jobs):
            if may_run(job):
                self._remove(at)
                return job
        return None

    def remove(self, job: Job) -> bool:
        """Removes a job; False where it does not wait."""
        at = bisect_right(self._keys, job.key) - 1
        while at >= 0 and self._keys[at] == job.key:
            if self._jobs[at] is job:
                self._remove(at)
                return True
            at -= 1
        return False

    def first_key(self) -> float:
        """The key of the job that is next; infinite where none waits."""
        return self._keys[0] if self._keys else float("inf")

    def ahead_of(self, key: float) -> float:
        """The milliseconds that the jobs before a place may cost."""
        at = bisect_right(self._keys, key)
        behind = self._jobs[at:]
        return (
            self.milliseconds - sum(job.remaining for job in behind)
            if behind
            else self.milliseconds
        )

    def _remove(self, at: int) -> None:
        del self._keys[at]
        job = self._jobs.pop(at)
        # So that rounding does not add up over days.
        self.milliseconds = self.milliseconds - job.remaining if self._jobs else 0.0
