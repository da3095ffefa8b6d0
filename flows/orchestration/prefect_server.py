"""The Prefect server that a build reports to: the one that `make ui` runs, or a temporary one.

The temporary one is started here and not by Prefect, because Prefect's own outlives a kill -9 of
the flow. It runs under flows/execution/supervise.py, whose pipe this process holds.

    python -m flows.orchestration.prefect_server    # make its database, as `make install` does
"""

import asyncio
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.execution import supervise
from flows.execution.locks import stop_supervised
from flows.execution.network import HOST, answers, free_port
from flows.execution.telemetry import switch_off_telemetry
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say

STARTUP_SECONDS = 90.0
"""Limit for a server that Prefect itself starts, in a process that we do not run."""

_PATIENCE_SECONDS = 300.0  # ours may take longer on a busy machine: we see whether it is alive
_SPEAK_SECONDS = 10.0


@contextmanager
def prefect_server(root: Path) -> Iterator[str]:
    """Yields the API address of a server that Prefect then uses. Import prefect only inside."""
    configure_prefect(root)
    running = running_server(root)
    if running is not None:
        os.environ["PREFECT_API_URL"] = running
        yield running
        return
    try:
        with temporary_server(root, meanwhile=_import_prefect) as address:
            yield address
    finally:
        os.environ.pop("PREFECT_API_URL", None)


def run_flow(root: Path, name: str, **parameters: Any) -> None:
    """Runs a flow here, and sends its last log lines before a temporary server ends.

    Args:
        name: `package.module.flow`; its module is imported when the server is ready.
    """
    with prefect_server(root):
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogHandler

        say("Prefect is ready; the flow begins …")
        try:
            pkgutil.resolve_name(name)(**parameters)
        finally:
            APILogHandler().flush()
            EventsWorker.drain_all(timeout=10)


def _import_prefect(address: str) -> None:
    """Imports Prefect while its server starts: both take seconds. Sets the address first."""
    os.environ["PREFECT_API_URL"] = address
    importlib.import_module("prefect")


def configure_prefect(root: Path) -> None:
    """Sets Prefect's environment variables: its own folder, no telemetry, a quiet console.

    Logs still go to the server; the build itself prints what a person must read.
    """
    switch_off_telemetry()
    os.environ["PREFECT_HOME"] = str(Paths(root.resolve()).state / "prefect")
    for name, value in {
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": f"{STARTUP_SECONDS:.0f}",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }.items():
        os.environ.setdefault(name, value)


def running_server(root: Path) -> str | None:
    """API address of the server that `make ui` started; None where it does not answer."""
    path = Paths(root).services
    try:
        address = str(json.loads(path.read_text(encoding="utf-8"))["prefect_api"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return address if answers(f"{address}/health") else None


@contextmanager
def temporary_server(
    root: Path, meanwhile: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """Yields the address of a server without a UI, on the database that `make ui` shows.

    Args:
        meanwhile: called with the server's address while it starts.

    Raises:
        PipelineError: it ends, or does not answer within five minutes.
    """
    port = free_port()
    address = f"http://{HOST}:{port}/api"
    log = Paths(root).logs / "prefect.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            _command(port),
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )
    try:
        meanwhile(address)
        _wait_for(process, address, log)
        yield address
    finally:
        stop_supervised(process)


def prepare_database(root: Path) -> None:
    """Creates Prefect's database where there is none; that takes longer than the server's start."""
    configure_prefect(root)
    home = Path(os.environ["PREFECT_HOME"])
    if (home / "prefect.db").exists():
        return
    say("Preparing Prefect's database …")
    home.mkdir(parents=True, exist_ok=True)
    from prefect.server.database import provide_database_interface

    with _ticking("Preparing Prefect's database"):
        asyncio.run(provide_database_interface().create_db())


@contextmanager
def _ticking(what: str) -> Iterator[None]:
    """Prints every few seconds that `what` is still under way."""
    ended = threading.Event()

    def tick() -> None:
        started = time.monotonic()
        while not ended.wait(_SPEAK_SECONDS):
            say(f"  {what}: {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _command(port: int) -> list[str]:
    server = ["uvicorn", "--factory", "prefect.server.api.server:create_app"]
    options = ["--host", HOST, "--port", str(port), "--log-level", "error"]
    python = [sys.executable, "-m"]
    return [sys.executable, "-P", str(supervise.__file__), *python, *server, *options]


def _environment() -> Mapping[str, str]:
    """Prefect's own environment for a server, without services that only schedules need."""
    environment = {key: value for key, value in os.environ.items() if key != "PREFECT_API_URL"}
    return environment | {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    started = spoke = time.monotonic()
    while not answers(f"{address}/health"):
        now = time.monotonic()
        if process.poll() is not None or now - started > _PATIENCE_SECONDS:
            raise PipelineError(
                f"Prefect's temporary server did not start: see {log}",
                expected=f"an answer within {_PATIENCE_SECONDS:.0f} s",
                next_step="run the build again; if it fails again, mend what the log names",
            )
        if now - spoke > _SPEAK_SECONDS:
            spoke = now
            say(f"Prefect is still starting ({now - started:.0f} s)")
        time.sleep(0.1)


if __name__ == "__main__":
    prepare_database(Path.cwd())
