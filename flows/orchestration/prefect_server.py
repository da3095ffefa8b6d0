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
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.execution.locks import supervised
from flows.execution.network import HOST, answers, free_port, wait_until_answers
from flows.orchestration.run_notes import mend_runs
from pipeline.core.chosen_environment import choose_environment, chosen_environment
from pipeline.core.output import forgive_output
from pipeline.core.paths import Paths, sqlite_url
from pipeline.core.progress import say

_SPEAK_SECONDS = 10.0


@contextmanager
def prefect_server(root: Path) -> Iterator[str]:
    """Yields the API address of a server that Prefect then uses. Import prefect only inside."""
    configure_prefect(root)
    try:
        if (running := running_server(root)) is not None:
            os.environ["PREFECT_API_URL"] = running
            yield running
        else:
            with temporary_server(root) as address:
                yield address
    finally:
        os.environ.pop("PREFECT_API_URL", None)


def run_flow(root: Path, name: str, **parameters: Any) -> None:
    """Runs a flow here, and sends its last log lines before a temporary server ends.

    Args:
        name: `package.module.flow`; its module is imported when the server is ready.
    """
    with prefect_server(root) as api:
        mend_runs(root, api)
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogHandler

        say("Prefect is ready; the flow begins …")
        try:
            pkgutil.resolve_name(name)(**parameters)
        finally:
            APILogHandler().flush()
            EventsWorker.drain_all(timeout=10)


def configure_prefect(root: Path) -> None:
    """Makes this process and its children use the project's own Prefect. Call it before any import."""
    choose_environment()
    os.environ.update(prefect_environment(root))


def prefect_environment(root: Path) -> dict[str, str]:
    """Prefect's environment variables: its own folder and database, a quiet console.

    Logs still go to the server; the build itself prints what a person must read.
    """
    home = Paths(root.resolve()).state / "prefect"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": sqlite_url(home / "prefect.db", "aiosqlite"),
        # For a server that Prefect itself starts, in a process that we do not run.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }


def running_server(root: Path) -> str | None:
    """API address of the server that `make ui` started; None where it does not answer."""
    path = Paths(root).services
    try:
        address = str(json.loads(path.read_text(encoding="utf-8"))["prefect_api"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return address if answers(f"{address}/health") else None


@contextmanager
def temporary_server(root: Path) -> Iterator[str]:
    """Yields the address of a server without a UI, on the database that `make ui` shows.

    Prefect is told the address and imported while the server starts: both take seconds.
    """
    port = free_port()
    address = f"http://{HOST}:{port}/api"
    log = Paths(root).logs / "prefect.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # As Prefect starts one for itself, without services that only schedules need.
    environment = (
        chosen_environment(os.environ)
        | prefect_environment(root)
        | {
            "PREFECT_UI_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }
    )
    server = ["uvicorn", "--factory", "prefect.server.api.server:create_app"]
    options = ["--host", HOST, "--port", str(port), "--log-level", "error"]
    command = [sys.executable, "-m", *server, *options]
    with (
        log.open("w", encoding="utf-8") as stream,
        supervised(command, stdout=stream, env=environment) as process,
    ):
        os.environ["PREFECT_API_URL"] = address
        importlib.import_module("prefect")
        health = f"{address}/health"
        wait_until_answers(health, "Prefect", alive=lambda: process.poll() is None, log=log)
        yield address


def prepare_database(root: Path) -> None:
    """Creates Prefect's database where there is none; that takes longer than the server's start."""
    configure_prefect(root)
    home = Path(os.environ["PREFECT_HOME"])
    if (home / "prefect.db").exists():
        return
    say("Preparing Prefect's database …")
    home.mkdir(parents=True, exist_ok=True)
    from prefect.server.database import provide_database_interface

    ended, started = threading.Event(), time.monotonic()

    def tick() -> None:
        while not ended.wait(_SPEAK_SECONDS):
            say(f"  Preparing Prefect's database: {time.monotonic() - started:.0f} s")

    threading.Thread(target=tick, daemon=True).start()
    asyncio.run(provide_database_interface().create_db())
    ended.set()


if __name__ == "__main__":
    forgive_output()
    prepare_database(Path.cwd())
