"""Five updates of the code and forty ends at 70 % of what a server can answer: nothing may fail.

Twenty ends are of a worker, twenty of whole servers: of those there are two then, behind a balancer
that asks for readiness and opens connections to the ready ones.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.serving.test_supervisor import copy_of_code, pids, serving
from tests.support.server import RunningServer, run_server, wait_until
from tests.support.steady_load import Outcome, steady_load
from tests.support.tiny_bundle import make_tiny_bundle

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
CONNECTIONS = 16
REQUESTS = 50_000
ENDS = 20


def test_updates_and_ends_of_workers_at_70_percent_load_fail_no_request(tmp_path: Path) -> None:
    code = copy_of_code(tmp_path / "code")
    with serving(tmp_path, "--drain", "1", code=code) as server:
        rate = 0.7 * most_a_second(server.url)
        with steady_load(server.url, connections=CONNECTIONS, rate=rate) as seen:
            for number in range(ENDS):
                wait_for_answers(seen, (number + 1) * REQUESTS // (ENDS + 2))
                if number % 4 == 0:
                    update(server, code, number)
                replace_worker(server)
            wait_for_answers(seen, REQUESTS)
        report(f"5 updates, {ENDS} ends of a worker, {rate:.0f}/s", seen)
        assert seen.failed == 0, (seen.failures[:3], seen.statuses)
        assert server.note().troubles == 0


def test_ends_of_whole_servers_behind_a_balancer_fail_no_request(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with ExitStack() as stack:

        def begun(name: str) -> RunningServer:
            (tmp_path / name).mkdir()
            options = ("--bundle", str(tmp_path / "bundle"), "--drain", "1")
            return stack.enter_context(run_server(tmp_path / name, *options))

        balancer = stack.enter_context(balancing([begun("first"), begun("second")]))
        rate = 0.35 * most_a_second(balancer.pick())
        with steady_load(balancer.pick, connections=CONNECTIONS, rate=rate) as seen:
            for number in range(ENDS):
                old, other = balancer.servers
                wait_until(lambda other=other: other.url in balancer.ready)  # type: ignore[misc]
                assert old.stop() == 0
                balancer.servers = [other, begun(f"next{number}")]
        report(f"{ENDS} ends of one of two servers, {rate:.0f}/s", seen)
        assert seen.failed == 0, (seen.failures[:3], seen.statuses)


class Balancer:
    """Knows which of some servers are ready, as it last asked."""

    def __init__(self, servers: list[RunningServer]) -> None:
        self.servers = servers
        self.ready: list[str] = []

    def ask(self) -> None:
        """Asks each server for its readiness."""
        self.ready = [server.url for server in self.servers if is_ready(server.url)]

    def pick(self) -> str:
        return random.choice(self.ready)  # noqa: S311 - any of them


@contextmanager
def balancing(servers: list[RunningServer]) -> Iterator[Balancer]:
    """A balancer that asks ten times a second."""
    balancer, stop = Balancer(servers), threading.Event()

    def ask() -> None:
        while not stop.wait(0.1):
            balancer.ask()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        wait_until(lambda: len(balancer.ready) == len(servers))
        yield balancer
    finally:
        stop.set()
        thread.join()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}health/ready", timeout=5.0).status_code == 200
    except httpx.HTTPError:
        return False


def most_a_second(url: str, seconds: float = 4.0) -> float:
    """How many requests a server answers in a second, on average over some seconds."""
    with steady_load(url, connections=CONNECTIONS, rate=1e6) as seen:
        time.sleep(seconds)
        return seen.answered / seconds


def wait_for_answers(seen: Outcome, count: int) -> None:
    wait_until(lambda: seen.answered >= count, seconds=900)


def update(server: RunningServer, code: Path, number: int) -> None:
    """Changes the code and has the server take it up."""
    old = pids(server)
    with (code / "pipeline/serving/app.py").open("a") as file:
        file.write(f"# update {number}\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for_others(server, old)


def replace_worker(server: RunningServer) -> None:
    """Tells the worker to end, and waits for another."""
    (old,) = pids(server)
    os.kill(old, signal.SIGTERM)
    wait_for_others(server, {old})


def wait_for_others(server: RunningServer, old: set[int]) -> None:
    """Waits until other workers than the old ones take requests; reads the note once each time."""
    wait_until(lambda: bool(now := pids(server)) and not now & old)


def report(what: str, seen: Outcome) -> None:
    """Prints what `make soak ARGS=-s` shows."""
    times = ", ".join(
        f"p{100 * share:g} {seen.percentile(share):.1f}" for share in (0.5, 0.99, 1.0)
    )
    print(f"\n{what}: {seen.failed} failed of {seen.answered}; milliseconds: {times}")
