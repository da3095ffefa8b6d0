"""Which jobs are admitted, how they run beside each other, and how they end."""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import nullcontext
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from pipeline.core.errors import DataError
from pipeline.serving.job import Job, Work
from pipeline.serving.order import Order
from pipeline.serving.protocol import ProtocolError
from pipeline.serving.scheduler import Scheduler


def a_job(work: Work, *, cost: float = 1.0, within: float = 60.0, **options: Any) -> Job:
    """A job of so many milliseconds, of use for so many seconds."""
    now = time.perf_counter()
    options = {"longest_run": 1.0, **options}
    return Job(work, lambda _: None, now, now + within, cost, **options)


def says(word: str, *, heard: list[str], runs: int = 1) -> Work:
    """Work of some runs, each of which is heard."""
    for number in range(runs):
        if number:
            yield 1.0
        heard.append(word)
    return word


def waits(gate: threading.Event) -> Work:
    """Work of one run that ends once the gate is open."""
    gate.wait(30)
    return "done"
    yield


def fails(error: Exception) -> Generator[float, None, None]:
    raise error
    yield


@pytest.mark.parametrize("cores", [1, 2])
def test_a_job_gives_its_result_and_the_time_that_it_took(cores: int) -> None:
    async def scenario() -> None:
        scheduler, heard = Scheduler(cores=cores), list[str]()
        assert scheduler.idle
        job = a_job(says("a", heard=heard, runs=3))
        assert await scheduler.run(job) == "a"
        assert heard == ["a"] * 3
        assert job.spent >= 0
        assert job.waited is not None
        assert scheduler.idle
        assert scheduler.counts.done == 1
        scheduler.close()

    asyncio.run(scenario())


def test_a_single_text_is_answered_between_two_runs_of_a_large_request() -> None:
    async def scenario() -> list[str]:
        scheduler, heard = Scheduler(cores=1), list[str]()
        large = asyncio.create_task(scheduler.run(a_job(says("L", heard=heard, runs=9), cost=90)))
        while len(heard) < 2:
            await asyncio.sleep(0)
        await scheduler.run(a_job(says("s", heard=heard)))
        await large
        return heard

    heard = asyncio.run(scenario())
    assert heard.index("s") < 6
    assert heard.count("L") == 9


def test_in_order_of_arrival_it_waits_for_the_large_request() -> None:
    async def scenario() -> list[str]:
        scheduler, heard = Scheduler(cores=1, order="arrival"), list[str]()
        large = asyncio.create_task(scheduler.run(a_job(says("L", heard=heard, runs=9), cost=90)))
        await asyncio.sleep(0)
        await scheduler.run(a_job(says("s", heard=heard)))
        await large
        return heard

    assert asyncio.run(scenario()) == ["L"] * 9 + ["s"]


def test_the_loop_sees_to_others_between_two_short_runs() -> None:
    async def scenario() -> list[str]:
        scheduler, heard = Scheduler(cores=1), list[str]()
        running = asyncio.create_task(scheduler.run(a_job(says("L", heard=heard, runs=5))))
        while not running.done():
            heard.append("probe")
            await asyncio.sleep(0)
        return heard

    heard = asyncio.run(scenario())
    assert "LL" not in "".join("L" if word == "L" else "p" for word in heard)


def test_a_long_run_has_a_thread_even_on_one_core_and_short_ones_go_on_beside_it() -> None:
    async def scenario() -> None:
        scheduler, gate, heard = Scheduler(cores=1), threading.Event(), list[str]()
        long = asyncio.create_task(scheduler.run(a_job(waits(gate), longest_run=50.0)))
        await asyncio.sleep(0)
        assert await scheduler.run(a_job(says("s", heard=heard))) == "s"
        assert not long.done()
        gate.set()
        assert await long == "done"
        scheduler.close()

    asyncio.run(scenario())


def test_the_language_model_leaves_a_core_to_texts() -> None:
    async def scenario() -> None:
        scheduler, gate, heard = Scheduler(cores=2), threading.Event(), list[str]()
        tasks = [
            asyncio.create_task(scheduler.run(a_job(waits(gate), language=True))) for _ in range(3)
        ]
        await asyncio.sleep(0.01)
        assert (scheduler.running, scheduler.waiting) == (1, 2)
        assert await scheduler.run(a_job(says("s", heard=heard))) == "s"
        gate.set()
        assert await asyncio.gather(*tasks) == ["done"] * 3
        scheduler.close()

    asyncio.run(scenario())


def test_a_job_that_would_come_too_late_is_refused_at_once_and_one_with_more_time_is_not() -> None:
    async def scenario() -> None:
        scheduler, heard = Scheduler(cores=1, order="arrival"), list[str]()
        before = [a_job(says("L", heard=heard), cost=100) for _ in range(5)]
        for job in before:
            scheduler.submit(job)
        for _ in range(3):
            with pytest.raises(ProtocolError) as caught:
                scheduler.submit(a_job(says("late", heard=heard), within=0.1))
            assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})
        assert await scheduler.run(a_job(says("s", heard=heard), within=10)) == "s"
        assert heard == ["L"] * 5 + ["s"]
        assert scheduler.counts.refused == 3

    asyncio.run(scenario())


def test_a_text_is_not_refused_for_a_long_run_that_has_a_thread() -> None:
    async def scenario() -> None:
        scheduler, gate = Scheduler(cores=1), threading.Event()
        long = a_job(waits(gate), cost=5000, longest_run=5000.0)
        running = asyncio.create_task(scheduler.run(long))
        while not scheduler.running:
            await asyncio.sleep(0)
        assert await scheduler.run(a_job(says("s", heard=[]), within=0.5)) == "s"
        with pytest.raises(ProtocolError):
            scheduler.submit(a_job(waits(gate), longest_run=50.0, within=0.5))
        gate.set()
        await running
        scheduler.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(("order", "full"), [("shortest", False), ("arrival", True)])
def test_a_request_need_not_be_read_where_what_it_cannot_pass_takes_longer_than_its_deadline(
    order: Order, full: bool
) -> None:
    async def scenario() -> None:
        scheduler = Scheduler(cores=1, order=order)
        scheduler.check_room(time.perf_counter())
        for _ in range(3):
            scheduler.submit(a_job(says("a", heard=[]), cost=200))
        scheduler.check_room(time.perf_counter() + 60)
        with pytest.raises(ProtocolError, match="wait longer") if full else nullcontext():
            scheduler.check_room(time.perf_counter() + 0.1)

    asyncio.run(scenario())


def test_nobody_waits_for_longer_than_two_seconds_whatever_the_deadline() -> None:
    async def scenario() -> None:
        scheduler = Scheduler(cores=1, order="arrival")
        for _ in range(20):
            scheduler.submit(a_job(says("a", heard=[]), cost=100))
        scheduler.submit(a_job(says("a", heard=[]), cost=100))
        with pytest.raises(ProtocolError, match="at most 2 s"):
            scheduler.submit(a_job(says("a", heard=[]), cost=100, within=600))

    asyncio.run(scenario())


def test_work_that_never_fits_its_deadline_is_told_so_even_by_an_idle_server() -> None:
    async def scenario() -> None:
        with pytest.raises(ProtocolError, match="split it") as caught:
            Scheduler(cores=1).submit(a_job(says("a", heard=[]), cost=5000, within=1))
        assert caught.value.status == 422

    asyncio.run(scenario())


def test_the_work_of_a_client_that_left_ends_after_the_present_run() -> None:
    async def scenario() -> None:
        scheduler, heard = Scheduler(cores=1), list[str]()
        job = a_job(says("L", heard=heard, runs=1000))
        running = asyncio.create_task(scheduler.run(job))
        while len(heard) < 3:
            await asyncio.sleep(0)
        computed = len(heard)
        scheduler.cancel(job)
        with pytest.raises(ClientDisconnect):
            await running
        await asyncio.sleep(0.01)
        assert len(heard) == computed
        assert scheduler.idle
        assert scheduler.counts.left == 1

    asyncio.run(scenario())


def test_a_thread_is_free_again_once_the_run_of_a_client_that_left_has_ended() -> None:
    async def scenario() -> None:
        scheduler, gate = Scheduler(cores=2), threading.Event()
        running = asyncio.create_task(scheduler.run(a_job(waits(gate))))
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (scheduler.running, scheduler.idle) == (1, False)
        gate.set()
        while not scheduler.idle:
            await asyncio.sleep(0.001)
        scheduler.close()

    asyncio.run(scenario())


def test_work_whose_deadline_has_passed_is_not_done() -> None:
    async def scenario() -> None:
        scheduler, heard = Scheduler(cores=1), list[str]()
        with pytest.raises(ProtocolError) as caught:
            await scheduler.run(a_job(says("a", heard=heard), within=-1.0))
        assert (caught.value.status, heard) == (504, [])
        assert scheduler.counts.late == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("cores", [1, 2])
def test_a_failure_is_told_by_its_kind_and_leaves_its_place_free(cores: int) -> None:
    refused = DataError("a bad text", expected="a good one", next_step="mend it")

    async def scenario() -> None:
        scheduler = Scheduler(cores=cores)
        for error, status in ((ZeroDivisionError("secret"), 500), (refused, 422)) * 3:
            with pytest.raises(ProtocolError) as caught:
                await scheduler.run(a_job(fails(error)))
            assert caught.value.status == status
            assert "secret" not in str(caught.value)
        assert scheduler.idle
        assert scheduler.counts.failed == 6
        scheduler.close()

    asyncio.run(scenario())


def test_a_slow_machine_is_noticed_and_fewer_jobs_are_admitted() -> None:
    now = [0.0]

    def slow() -> Work:
        now[0] += 0.01  # ten times what it should take
        return "done"
        yield

    async def scenario() -> None:
        scheduler = Scheduler(cores=1, clock=lambda: now[0])

        def job(within: float) -> Job:
            return Job(slow(), lambda _: None, now[0], now[0] + within, 1.0, 1.0)

        for _ in range(200):
            await scheduler.run(job(60))
        for _ in range(10):  # ten milliseconds by what was measured at first
            scheduler.submit(job(60))
        with pytest.raises(ProtocolError):
            scheduler.submit(job(0.1))

    asyncio.run(scenario())
