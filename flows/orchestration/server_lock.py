"""Becomes the project's Prefect server, if no other one uses its database: SQLite has room for one.

    python -m flows.orchestration.server_lock PORT [--temporary]

The server holds a lock on `.modelyard/prefect/server.lock` as long as it lives, whatever ends it; the file
names its address. The server of `modelyard ui` takes the place of a temporary one, which a build has
started for itself: the build goes on with the new one. A temporary one gives way.
"""

import argparse
import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from flows.execution.network import HOST
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.process_identity import ProcessIdentity, is_running, this_process
from pipeline.core.typed_json import read_as

_WAIT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class ServerNote:
    """The server that holds the lock, or held it last."""

    address: str
    temporary: bool
    process: ProcessIdentity


def noted_server(root: Path) -> ServerNote | None:
    """The server that the lock file names, where it still runs."""
    with suppress(OSError, ValueError):
        note = read_as(ServerNote, json.loads(_lock_file(root).read_text(encoding="utf-8")))
        return note if is_running(note.process) else None
    return None


def take_server_lock(root: Path, note: ServerNote) -> IO[str]:
    """The locked file, which now names the server; the lock ends with the process that keeps it open.

    Raises:
        PipelineError: another server uses the database and does not give way.
    """
    path = _lock_file(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a+", encoding="utf-8")
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = noted_server(root)
            if (
                note.temporary
                or time.monotonic() > deadline
                or not (holder is None or holder.temporary)
            ):
                stream.close()
                raise _in_use(root, holder) from None
            if holder is not None:
                with suppress(ProcessLookupError):
                    os.kill(holder.process.pid, signal.SIGTERM)
            time.sleep(0.1)
    stream.truncate(0)
    stream.write(json.dumps(asdict(note)))
    stream.flush()
    return stream


def main() -> None:
    """Takes the lock, then becomes the server in this very process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--temporary", action="store_true")
    options = parser.parse_args()
    address = f"http://{HOST}:{options.port}/api"
    note = ServerNote(address=address, temporary=options.temporary, process=this_process())
    try:
        stream = take_server_lock(Path(os.environ["MODELYARD_ROOT"]), note)
    except PipelineError as error:
        sys.exit(str(error))
    os.set_inheritable(stream.fileno(), True)
    port = str(options.port)
    command = ["prefect", "server", "start", "--host", HOST, "--port", port]
    if options.temporary:
        # As Prefect starts one for itself.
        app = ["uvicorn", "--factory", "prefect.server.api.server:create_app"]
        command = [*app, "--host", HOST, "--port", port, "--log-level", "error"]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - no shell is wanted


def _lock_file(root: Path) -> Path:
    return Paths(root).state / "prefect" / "server.lock"


def _in_use(root: Path, holder: ServerNote | None) -> PipelineError:
    who = f"the server at {holder.address}" if holder else "another Prefect server"
    return PipelineError(
        f"{who} uses Prefect's database in {_lock_file(root).parent}",
        expected="one server at a time: SQLite has room for one",
        next_step="use that one, or end it with `modelyard stop`",
    )


if __name__ == "__main__":
    main()
