"""Decides which job runs now, which waits, and which is refused.

With one core, short runs happen in the event loop itself, one at a time, so that between two of them
every probe and every client that left is seen; a change of thread would cost a fifth of such a run.
Longer runs, and all runs with more cores, have threads. Jobs are looked at in the event loop alone,
so nothing here needs a lock; a thread only reads whether its job is to go on.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect

from pipeline.serving.backlog import Backlog, place
from pipeline.serving.job import Job
from pipeline.serving.job_errors import MAX_WAIT_SECONDS, failure_of, too_busy, too_late, too_much
from pipeline.serving.order import Order
from pipeline.serving.run_pace import Pace

INLINE_MS = 2.0
"""The longest run in the event loop; probes wait for it."""
_SHARE = 0.8
"""Share of the time until its deadline that a job may be expected to take: estimates are not exact."""
Clock = Callable[[], float]


@dataclass
class Counts:
    """Counts of jobs since the start, by how they ended.

    Attributes:
        texts: that have an answer of the model, whether it was sent or not.
        refused: without a run, because there was too much before them.
        left: ended because their client had gone.
        late: ended because their deadline had passed.
    """

    texts: int = 0
    done: int = 0
    failed: int = 0
    refused: int = 0
    left: int = 0
    late: int = 0


class Scheduler:
    """Runs jobs by order and deadline. All calls must come from one event loop.

    Args:
        cores: runs at the same time.
        order: `arrival` is first come, first served, for comparison.
    """

    def __init__(
        self, *, cores: int, order: Order = "shortest", clock: Clock = time.perf_counter
    ) -> None:
        self._cores, self._order, self._clock = cores, order, clock
        self._pool = ThreadPoolExecutor(cores, thread_name_prefix="predict")
        self._backlog, self._pace = Backlog(), Pace()
        self._running: set[Job] = set()
        self._pumping = False
        self._busy_since: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.counts = Counts()

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not (self._backlog or self._running)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._backlog)

    @property
    def running(self) -> int:
        """How many jobs have a thread now."""
        return len(self._running)

    def wait_ms(self) -> float:
        """How long the shortest job would wait that came now, milliseconds."""
        return self._wait_ms(self._clock(), longest_run=0.0)

    def check_room(self, deadline: float) -> None:
        """Refuses a request before it is read where even the shortest job would come too late.

        Raises:
            ProtocolError: 503.
        """
        if self._backlog:
            now = self._clock()
            if self._wait_ms(now, longest_run=0.0) > 1000 * min(
                MAX_WAIT_SECONDS, _SHARE * (deadline - now)
            ):
                self.counts.refused += 1
                raise too_busy()

    def submit(self, job: Job) -> None:
        """Lets a job wait for its turn.

        Raises:
            ProtocolError: 503, there is too much before it; 422, it takes longer than its deadline
                even where nothing is before it.
        """
        job.key = place(job, self._order)
        now = self._clock()
        until = _SHARE * (job.deadline - now) * 1000
        if job.remaining > until and job.deadline > now:
            raise too_much(job, now)
        if not self.idle:
            cost = self._pace.milliseconds(job.remaining)
            wait = self._wait_ms(job.key, longest_run=job.longest_run)
            if wait > min(MAX_WAIT_SECONDS * 1000, until - cost):
                self.counts.refused += 1
                raise too_busy()
        self._backlog.add(job)
        self._wake()

    def cancel(self, job: Job) -> None:
        """Ends a job whose client has gone: at once where it waits, else after its present run."""
        job.stopped = True
        if self._backlog.remove(job):
            self._end(job)

    async def run(self, job: Job) -> Any:
        """The result of a job, which is cancelled with the task that waits for it.

        Args:
            job: its `ended` is replaced.
        """
        future = asyncio.get_running_loop().create_future()
        job.ended = lambda _: None if future.done() else future.set_result(None)
        self.submit(job)
        try:
            await future
        finally:
            self.cancel(job)
        if job.error is not None:
            raise job.error
        return job.result

    def close(self) -> None:
        """Takes no more work. What runs is not waited for: by now nobody waits for its answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _wait_ms(self, key: float, *, longest_run: float) -> float:
        """How long a job would wait at a place, milliseconds."""
        ahead = self._backlog.ahead_of(key)
        # What has a thread is only waited for by what needs one, and if it is behind, only for a run.
        if self._running and not (self._cores == 1 and longest_run <= INLINE_MS):
            ahead += sum(
                job.remaining if job.key <= key else min(job.longest_run, job.remaining)
                for job in self._running
            )
        return self._pace.milliseconds(ahead) / self._cores

    def _wake(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._loop = self._loop or asyncio.get_running_loop()
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Hands out what may have a thread; runs at most one short run here, then lets the loop look."""
        self._pumping = False
        while (job := self._backlog.take(self._may_run)) is not None:
            if job.waited is None:
                job.waited = 1000 * (self._clock() - job.arrived)
            if self._is_inline(job):
                self._run_inline(job)
                return
            self._running.add(job)
            self._pool.submit(self._run_on, job)

    def _is_inline(self, job: Job) -> bool:
        return self._cores == 1 and job.longest_run <= INLINE_MS

    def _may_run(self, job: Job) -> bool:
        if self._is_inline(job):
            return True
        # One core is always left to what is not of the language model.
        free = max(1, self._cores - 1) if job.language else self._cores
        return len(self._running) < free

    def _run_inline(self, job: Job) -> None:
        """Does one run in the event loop."""
        before, start = job.remaining, self._busy_since or self._clock()
        ended = self._run_once(job)
        end = self._clock()
        # In a row, what the loop does between two runs belongs to the time that a run takes.
        self._pace.note(taken=1000 * (end - start), expected=before - job.remaining)
        self._settle(job, ended=ended)
        self._busy_since = end if self._backlog else None

    def _run_on(self, job: Job) -> None:
        """Runs a job in a thread until it ends or another is to come first."""
        before, spent = job.remaining, job.spent
        ended = self._run_once(job)
        while not ended and self._backlog.first_key() > job.key:
            ended = self._run_once(job)
        taken, expected = job.spent - spent, before - job.remaining
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._return, job, ended, taken, expected)

    def _return(self, job: Job, ended: bool, taken: float, expected: float) -> None:
        """Takes a job back from its thread."""
        self._running.discard(job)
        self._pace.note(taken=taken, expected=expected)
        self._settle(job, ended=ended)

    def _run_once(self, job: Job) -> bool:
        """Does the next run of a job; True where it was the last, or none is needed any more."""
        start = self._clock()
        if job.stopped or start > job.deadline:
            return True
        try:
            job.remaining = next(job.work)
            ended = False
        except StopIteration as done:
            job.result, job.remaining, ended = done.value, 0.0, True
        # Told to the caller by its type alone: the message could hold the text.
        except Exception as error:
            job.error, job.remaining, ended = error, 0.0, True
        job.spent += 1000 * (self._clock() - start)
        return ended

    def _settle(self, job: Job, *, ended: bool) -> None:
        """Lets a job wait for its next run, or end, and the loop look for the next job."""
        if not ended and not job.stopped:
            self._backlog.add(job)
        if self._backlog:
            self._wake()
        if ended or job.stopped:
            self._end(job)

    def _end(self, job: Job) -> None:
        counts = self.counts
        if job.error is not None:
            counts.failed += 1
            job.error = failure_of(job.error)
        elif job.result is not None:  # no work returns None
            counts.done += 1
        elif job.stopped:
            counts.left += 1
            job.error = ClientDisconnect()
        else:
            counts.late += 1
            job.error = too_late(job)
        job.ended(job)
