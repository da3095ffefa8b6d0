"""One build at a time in a workspace, and no lock that outlives its processes.

The build lock is an advisory lock on a file. Supervisors inherit its descriptor, so after a kill -9
of the flow it stays held until the last stage process is gone, and the next build waits those
seconds. That is why it is not filelock's, whose descriptor no child inherits.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.execution import supervise
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.release.server_process import is_alive

WORKSPACE_VARIABLE = "MODELYARD_WORKSPACE"
"""Environment variable that marks the processes of a stage with their workspace."""

_PATIENCE_SECONDS = 20.0
_STOP_SECONDS = 30.0
_held: dict[Path, int] = {}


@contextmanager
def build_lock(workspace: Path) -> Iterator[int]:
    """Holds the workspace's build lock; yields the descriptor that supervisors inherit.

    A process that holds it already gets the same descriptor again.
    """
    path = Paths(workspace).state / "build.lock"
    if path in _held:
        yield _held[path]
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        _acquire(stream, workspace)
        stream.seek(0)
        stream.truncate()
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        stream.write(json.dumps({"pid": os.getpid(), "since": now}))
        stream.flush()
        end_orphans(workspace)
        clean_dvc_locks(workspace)
        _held[path] = stream.fileno()
        try:
            yield stream.fileno()
        finally:
            del _held[path]


def _acquire(stream: Any, workspace: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            stream.seek(0)
            holder: dict[str, Any] = {}
            with suppress(ValueError):  # the holder is writing it at this moment
                holder = json.loads(stream.read())
            if is_alive(holder.get("pid", 0)) or time.monotonic() > deadline:
                who = f"process {holder.get('pid', 'unknown')}, since {holder.get('since', 'now')}"
                raise PipelineError(
                    f"a build is already running in {workspace} ({who})",
                    expected="one build at a time in a workspace",
                    next_step="wait until it ends, or stop it with Ctrl-C where it runs",
                ) from None
            time.sleep(0.2)


def end_orphans(workspace: Path) -> None:
    """Kills stage processes of this workspace that no flow watches any more.

    There are some only where a supervisor itself was killed. Call it under the build lock.
    """
    import psutil

    marked = [
        process
        for process in psutil.process_iter(["environ"])  # None for those of another user
        if (process.info["environ"] or {}).get(WORKSPACE_VARIABLE) == str(workspace)
    ]
    for process in marked:
        process.kill()
    psutil.wait_procs(marked, timeout=5)


@contextmanager
def supervised(
    command: Sequence[str], *, env: Mapping[str, str], **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Runs a command under flows/execution/supervise.py; it ends with the block, at the latest."""
    with subprocess.Popen(
        [sys.executable, "-P", str(supervise.__file__), *command],
        stdin=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        **options,
    ) as process:
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    """Ends a supervised command with all its descendants.

    Closing the pipe asks the supervisor to end them and then itself. Where it does not within half
    a minute (a very busy machine), the descendants are killed from here, before the supervisor:
    killed first, it would leave them behind.
    """
    import psutil

    assert process.stdin is not None  # noqa: S101 - PIPE was asked for
    process.stdin.close()
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(psutil.NoSuchProcess):  # it may end at this very moment
            for descendant in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    descendant.kill()
        process.wait()


def clean_dvc_locks(workspace: Path) -> None:
    """Removes the entries of dead processes and zombies from DVC's lock file.

    DVC takes a zombie for alive, and a container without init never reaps one.
    """
    path = workspace / ".dvc" / "tmp" / "rwlock"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    kept = {
        "write": {name: info for name, info in held.get("write", {}).items() if _is_dvc(info)},
        "read": {
            name: living
            for name, infos in held.get("read", {}).items()
            if (living := [info for info in infos if _is_dvc(info)])
        },
    }
    if kept != held:
        path.write_text(json.dumps(kept), encoding="utf-8")


def _is_dvc(info: dict[str, Any]) -> bool:
    """Whether the process that took a DVC lock is still there, and not another with its number."""
    import psutil

    pid = info.get("pid", 0)
    if not is_alive(pid):
        return False
    try:
        return any("dvc" in part for part in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
