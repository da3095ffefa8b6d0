"""Far more requests than can be answered, on a clock of the test's own: every run and refusal takes its time on it."""

import asyncio
import random
from dataclasses import dataclass

from pipeline.serving.job import Job, Work
from pipeline.serving.protocol import ProtocolError
from pipeline.serving.scheduler import Scheduler

RUN, REFUSAL = 0.0005, 0.00002
DEADLINE = 0.1


@dataclass
class Machine:
    """A server whose runs take, on average, `slowness` times as long as they were measured to."""

    slowness: float
    now: float = 0.0
    in_time: int = 0
    late: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(cores=1, clock=lambda: self.now)
        self._random = random.Random(0)  # noqa: S311 - no secret

    async def serve(self, *, times: float, seconds: float) -> None:
        """Gets requests at so many times its capacity."""
        pause, due, ends = RUN * self.slowness / times, self.now, self.now + seconds
        while self.now < ends:
            while due <= self.now:
                self.ask(due)
                due += pause
            if self.scheduler.idle:
                self.now = due
            await asyncio.sleep(0)

    def ask(self, arrived: float) -> None:
        """A request that arrived a moment ago, and is admitted or not."""
        job = Job(self.run(), self.ended, arrived, arrived + DEADLINE, 1000 * RUN, 1000 * RUN)
        try:
            self.scheduler.check_room(job.deadline)
            self.scheduler.submit(job)
        except ProtocolError:
            self.now += REFUSAL
            self.refused += 1

    def run(self) -> Work:
        self.now += RUN * self.slowness * self._random.uniform(0.5, 1.5)
        return "done"
        yield

    def ended(self, job: Job) -> None:
        good = job.error is None and self.now <= job.deadline
        self.in_time, self.late = self.in_time + good, self.late + (not good)


def test_at_five_times_the_capacity_what_is_admitted_comes_in_time_and_no_time_is_lost() -> None:
    for slowness in (1.0, 3.0):
        machine = Machine(slowness)
        asyncio.run(machine.serve(times=5, seconds=2))
        answered = machine.in_time + machine.late
        assert machine.late <= 0.01 * answered
        busy = 2 - REFUSAL * machine.refused
        assert machine.in_time >= 0.95 * busy / (RUN * slowness)
        assert machine.refused > 3 * answered


def test_below_the_capacity_nothing_is_refused() -> None:
    machine = Machine(1.0)
    asyncio.run(machine.serve(times=0.8, seconds=2))
    assert (machine.refused, machine.late) == (0, 0)


def test_a_moment_after_an_overload_every_request_is_answered_again() -> None:
    machine = Machine(1.0)

    async def scenario() -> int:
        await machine.serve(times=5, seconds=1)
        await machine.serve(times=0.5, seconds=0.2)
        before = machine.refused
        await machine.serve(times=0.5, seconds=1)
        return machine.refused - before

    assert asyncio.run(scenario()) == 0
