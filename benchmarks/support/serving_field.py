"""The servers that a benchmark of serving asks, each alone on one core, while the generator has another."""

import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import closed_loop, open_loop, run_load
from benchmarks.support.load_figures import Answers, a_second, steady_arrivals
from benchmarks.support.traffic import Traffic, post
from pipeline.core.errors import DataError
from tests.support.repository import REPOSITORY
from tests.support.server import RunningServer, run_server

DESCRIPTORS = 1024
"""Open files that a server may have, as on most machines; the generator may have more."""
CONNECTIONS = 16
"""Of a closed loop that finds the capacity of a server."""
OPEN_CONNECTIONS = 64
"""Of an open loop: so few that none is idle until the server closes it."""
_READY_SECONDS = 120.0
_HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions of a measurement.

    Attributes:
        root: of the clone, where peers have their environments.
        seconds: of one turn.
        server_core, generator_core: numbers of the system's.
    """

    root: Path
    bundle: Path
    traffic: Traffic
    rounds: int
    seconds: float
    server_core: int
    generator_core: int


@dataclass(frozen=True)
class Dialect:
    """Where a server takes a text, and in which body."""

    path: str
    body: Callable[[str], object]

    def requests(
        self, texts: Sequence[str], headers: Mapping[str, str] | None = None
    ) -> list[bytes]:
        """A request a text."""
        return [post(self.path, self.body(text), headers) for text in texts]


OURS = Dialect("/predict", lambda text: {"text": text})


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Has processes that this thread starts in the block run on one core, with `DESCRIPTORS` at most."""
    cores, (soft, hard) = os.sched_getaffinity(0), resource.getrlimit(resource.RLIMIT_NOFILE)
    os.sched_setaffinity(0, {core})
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.sched_setaffinity(0, cores)


@contextmanager
def our_server(conditions: Conditions, *options: str) -> Iterator[RunningServer]:
    """Our server as a user starts it, ready.

    Args:
        options: without `--pointer` it serves the bundle.
    """
    source = () if "--pointer" in options else ("--bundle", str(conditions.bundle))
    with tempfile.TemporaryDirectory(prefix="modelyard-serving-") as folder:
        with on_core(conditions.server_core):
            starting = run_server(Path(folder), *source, *options)
            server = starting.__enter__()
        try:
            wait_ready(server)
            yield server
        finally:
            starting.__exit__(None, None, None)


def wait_ready(server: RunningServer) -> None:
    """Waits until the server says that it is ready.

    Raises:
        DataError: it does not within two minutes.
    """
    end = time.monotonic() + _READY_SECONDS
    with httpx.Client(trust_env=False, timeout=_READY_SECONDS) as client:
        while time.monotonic() < end and server.process.poll() is None:
            with suppress(httpx.HTTPError):  # it may have ended, which the loop sees
                if client.get(f"{server.url}health/ready").status_code == httpx.codes.OK:
                    return
            time.sleep(0.005)
    raise DataError(
        f"a server that is not ready: {server.log.read_text(encoding='utf-8')[-300:]}",
        expected=f"readiness within {_READY_SECONDS:g} s",
        next_step="start it by hand and look at what it says",
    )


def place_of(server: RunningServer) -> Place:
    """The address of a server."""
    address = urlsplit(server.url)
    return str(address.hostname), int(address.port or 0)


@contextmanager
def trivial_server(conditions: Conditions) -> Iterator[Place]:
    """A server that does nothing."""
    place = (_HOST, unused_port())
    command = [sys.executable, "-m", "benchmarks.support.trivial_server", str(place[1])]
    environment = {**os.environ, "PYTHONPATH": str(conditions.root)}
    with on_core(conditions.server_core):
        process = subprocess.Popen(command, cwd=conditions.root, env=environment)
    try:
        wait_listening(place, process)
        yield place
    finally:
        process.kill()
        process.wait()


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((_HOST, 0)) as free:
        return int(free.getsockname()[1])


def wait_listening(place: Place, process: "subprocess.Popen[bytes]") -> None:
    """Waits until somebody takes connections there, or the process ends."""
    end = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(place, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


@cache
def has_option(name: str) -> bool:
    """Whether our server has an option of this name."""
    command = [sys.executable, "-m", "pipeline.serving.server", "--help"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return name in told.stdout


def closed(place: Place, requests: Sequence[bytes], *, connections: int, seconds: float) -> Answers:
    """Answers of a closed loop."""
    return run_load(closed_loop(place, requests, connections=connections, seconds=seconds))


def capacity(
    place: Place, requests: Sequence[bytes], *, seconds: float, connections: int = CONNECTIONS
) -> float:
    """Requests a second that a server answers at the most.

    Raises:
        DataError: some of them failed.
    """
    answers = closed(place, requests, connections=connections, seconds=seconds)
    if answers.failed:
        raise DataError(
            f"{answers.failed} of {len(answers)} requests failed: {'; '.join(answers.faults)}",
            expected="200 for each: nothing is refused at this load",
            next_step="look at the server's log",
        )
    return a_second(answers)


def paced(
    place: Place,
    requests: Sequence[bytes],
    *,
    rate: float,
    seconds: float,
    seed: int = 0,
    connections: int = OPEN_CONNECTIONS,
) -> Answers:
    """Answers of an open loop of `rate` requests a second."""
    due = steady_arrivals(rate, seconds, seed=seed)
    return run_load(open_loop(place, requests, due=due, connections=connections))


def tell_faults(answers: Answers) -> None:
    """Prints the statuses of a load that failed in part, and how the first without an answer did."""
    if answers.failed:
        counts = Counter(answers.status.tolist())
        print(f"  statuses (0: no answer): {dict(counts)}", flush=True)
    for fault in answers.faults:
        print(f"  without an answer: {fault}", flush=True)


def processes_of(server: RunningServer) -> list[psutil.Process]:
    """The supervisor and its workers."""
    supervisor = psutil.Process(server.process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def memory_mb(server: RunningServer) -> float:
    """Resident memory of its processes together, megabytes of a million bytes; libraries count in each."""
    return float(sum(process.memory_info().rss for process in processes_of(server)) / 1e6)


def own_memory_mb(server: RunningServer) -> float:
    """Memory that no other process shares, which is what can grow; megabytes of a million bytes."""
    return float(sum(process.memory_full_info().uss for process in processes_of(server)) / 1e6)


def processor_seconds(server: RunningServer) -> float:
    """Processor time that its processes have used."""
    times = [process.cpu_times() for process in processes_of(server)]
    return float(sum(time.user + time.system for time in times))


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
