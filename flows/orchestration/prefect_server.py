"""The Prefect server that a run tells its events: that of `make ui`, or a temporary one.

The temporary one is started here and not by Prefect, because Prefect's own outlives a kill -9 of
the flow. It runs under flows/execution/supervise.py, whose pipe this process holds.

    python -m flows.orchestration.prefect_server    # make its database, as `make install` does
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from flows.execution.locks import supervised
from flows.execution.network import HOST, answers, free_port, wait_until_answers
from flows.orchestration import server_lock
from flows.orchestration.server_lock import noted_server
from pipeline.core.chosen_environment import choose_environment, chosen_environment
from pipeline.core.databases import MLFLOW_VARIABLE, PREFECT_VARIABLE, team_database
from pipeline.core.errors import PipelineError
from pipeline.core.output import forgive_output
from pipeline.core.paths import Paths, sqlite_url
from pipeline.core.progress import say

_SPEAK_SECONDS = 10.0
_MOST_STARTS = 3


class ServerForRun:
    """The server that a run tells its events: the one that runs, else a temporary one of its own.

    It ends with the run. Where it is killed, another takes its place, a few times.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._own, self._starts = root, ExitStack(), 0
        self._closing = threading.Event()

    def address(self) -> str:
        """The API address of a server that answers.

        Raises:
            PipelineError: none runs, and none could be started.
        """
        if (running := running_server(self._root)) is not None:
            return running
        self._own.close()
        self._starts += 1
        if self._starts > _MOST_STARTS or self._closing.is_set():
            raise PipelineError(
                f"no Prefect server answers, and {_MOST_STARTS} were started",
                expected="a server that goes on answering",
                next_step=f"read {Paths(self._root).logs / 'prefect.log'}; the run itself goes on",
            )
        return self._own.enter_context(temporary_server(self._root, closing=self._closing))

    def close(self) -> None:
        """Ends the server if it is our own, also while it starts in another thread."""
        self._closing.set()
        self._own.close()


def configure_prefect(root: Path) -> None:
    """Makes this process and its children use the project's own Prefect. Call it before any import."""
    choose_environment()
    os.environ.update(prefect_environment(root))
    # A wrong address of MLflow's is told now, not by the thread that tells it.
    team_database(MLFLOW_VARIABLE, postgresql="psycopg2", sqlite="pysqlite")


def prefect_environment(root: Path) -> dict[str, str]:
    """Prefect's environment variables: its own folder and database, a quiet console.

    Logs still go to the server; the build itself prints what a person must read.
    """
    home = Paths(root.resolve()).state / "prefect"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": _team_database()
        or sqlite_url(home / "prefect.db", "aiosqlite"),
        # For a server that Prefect itself starts, in a process that we do not run.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }


def _team_database() -> str | None:
    return team_database(PREFECT_VARIABLE, postgresql="asyncpg", sqlite="aiosqlite")


def running_server(root: Path) -> str | None:
    """API address of the project's server, as its lock or `make ui` names it; None if none answers."""
    noted = noted_server(root)
    addresses = [noted.address] if noted else []
    with suppress(FileNotFoundError, ValueError, KeyError):
        text = Paths(root).services.read_text(encoding="utf-8")
        addresses.append(str(json.loads(text)["prefect_api"]))
    return next((found for found in addresses if answers(f"{found}/health")), None)


@contextmanager
def temporary_server(root: Path, *, closing: threading.Event | None = None) -> Iterator[str]:
    """Yields the address of a server without a UI, on the database that `make ui` shows.

    It gives way to the server of `make ui`, which takes its place (flows/orchestration/server_lock.py).
    Where `closing` is set, it is no longer waited for.
    """
    port = free_port()
    log = Paths(root).logs / "prefect.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # As Prefect starts one for itself, without services that only schedules need.
    environment = (
        chosen_environment(os.environ)
        | prefect_environment(root)
        | {
            "MODELYARD_ROOT": str(root.resolve()),
            "PREFECT_UI_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }
    )
    command = [sys.executable, "-m", server_lock.__name__, str(port), "--temporary"]
    own_code = str(Path(__file__).resolve().parents[2])
    with (
        log.open("w", encoding="utf-8") as stream,
        supervised(command, stdout=stream, env=environment, cwd=own_code) as process,
    ):

        def alive() -> bool:
            return process.poll() is None and not (closing and closing.is_set())

        address = f"http://{HOST}:{port}/api"
        # In silence: the run goes on meanwhile.
        health, quietly = f"{address}/health", lambda _: None
        wait_until_answers(health, "Prefect", alive=alive, log=log, speak=quietly)
        yield address


def prepare_database(root: Path) -> None:
    """Creates Prefect's database where there is none; that takes longer than the server's start.

    A team's own is left to the server.
    """
    if _team_database():
        return
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
    say("Ready.")
