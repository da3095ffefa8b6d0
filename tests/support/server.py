"""Servers for tests: an application in this process, and a real process that is always stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.server_note import ServerNote
from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.scheduler import Scheduler
from tests.support.repository import REPOSITORY


def holder_of(folder: Path) -> ModelHolder:
    """A holder of the bundle in a folder."""
    holder = ModelHolder()
    holder.load(folder)
    return holder


def client_of(holder: ModelHolder, **options: Any) -> TestClient:
    """A client of an application over `holder`, in this process."""
    app = create_app(holder, **{"scheduler": Scheduler(cores=1), **options})
    return TestClient(app, base_url="http://127.0.0.1:8000")


@dataclass(frozen=True)
class RunningServer:
    """A server that listens: its process, address and log file."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path
    state: Path

    def note(self) -> ServerNote:
        """What the server says of itself and its workers."""
        return ServerNote.load(self.state)

    def stop(self) -> int:
        """Asks it to end and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def run_server(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    code: Path = REPOSITORY,
) -> Iterator[RunningServer]:
    """Starts the server on a free port, its log and state file in `folder`; kills it at the end.

    Args:
        code: the folder whose code it runs.
    """
    state, log = folder / "server.json", folder / "server.log"
    command = [sys.executable, "-m", "pipeline.serving.server", "--port", "0", "--drain", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--state", str(state), *arguments],
            cwd=code,
            env={**chosen_environment(os.environ), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_until(lambda: state.exists() or process.poll() is not None)
        assert state.exists(), log.read_text()
        yield RunningServer(process, json.loads(state.read_text())["url"], log, state)
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for `condition`; the limit is generous because it matters only for a failure."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition was never met"
        time.sleep(0.02)


def ready_hash(url: str) -> str | None:
    """The hash of the bundle that a server serves; None while it has none."""
    value: str | None = httpx.get(f"{url}health/ready").json()["hash"]
    return value
