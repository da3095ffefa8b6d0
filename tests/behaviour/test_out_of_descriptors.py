"""More connections than the server may open: it does not spin, its log stays short, it recovers."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.support.server import RunningServer, run_server, wait_until
from tests.support.tiny_bundle import make_tiny_bundle

CONNECTIONS = 300


@pytest.fixture(name="server")
def start_server(tmp_path: Path) -> Iterator[RunningServer]:
    make_tiny_bundle(tmp_path / "bundle")
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle"), "--workers", "1") as server:
        wait_until(lambda: httpx.get(f"{server.url}health/live").status_code == 200)
        yield server


def test_silent_connections_beyond_the_limit_neither_spin_nor_fill_the_log(
    server: RunningServer,
) -> None:
    (worker,) = psutil.Process(server.process.pid).children()
    allowed = worker.num_fds() + CONNECTIONS // 3
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (allowed, allowed))
    address = urlsplit(server.url)
    before = server.log.stat().st_size
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            opened = socket.create_connection((str(address.hostname), int(address.port or 0)), 10)
            stack.enter_context(opened)
        wait_until(lambda: worker.num_fds() >= allowed - 2)
        started = worker.cpu_times()
        with pytest.raises(psutil.TimeoutExpired):
            worker.wait(2)
        spent = worker.cpu_times()
        assert spent.user + spent.system - started.user - started.system < 1
        assert server.log.stat().st_size - before < 2000
    wait_until(lambda: answers(server))


def answers(server: RunningServer) -> bool:
    try:
        return httpx.get(f"{server.url}health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
