"""One build at a time in a workspace, and no lock that outlives its processes.

Supervisors inherit the descriptor of the build lock, so after a kill -9 of the flow it stays held
until the last stage process is gone, and the next build waits those seconds. That is why it is not
filelock's, whose descriptor no child inherits.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flows.execution import supervise
from flows.execution.cache_lock import cache_in_use
from flows.execution.dvc_cache import cache_folder
from pipeline.core.errors import PipelineError
from pipeline.core.file_lock import Holder, waited_lock
from pipeline.core.paths import Paths

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
    with cache_in_use(cache_folder(workspace)), _locked(path, workspace) as descriptor:
        end_orphans(workspace)
        clean_dvc_locks(workspace)
        _held[path] = descriptor
        try:
            yield descriptor
        finally:
            del _held[path]


@contextmanager
def _locked(path: Path, workspace: Path) -> Iterator[int]:
    """The lock; where its holder is dead, after the seconds in which the holder's stages end."""

    def waiting(holder: Holder, seconds: float) -> None:
        if holder.is_running or seconds > _PATIENCE_SECONDS:
            raise PipelineError(
                f"a build is already running in {workspace} ({holder})",
                expected="one build at a time in a workspace",
                next_step="wait until it ends, or stop it with Ctrl-C where it runs",
            )

    with waited_lock(path, what="", waiting=waiting) as descriptor:
        yield descriptor


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

    def lives(info: dict[str, Any]) -> bool:
        return _is_dvc_in(workspace, info.get("pid", 0))

    kept = {
        "write": {name: info for name, info in held.get("write", {}).items() if lives(info)},
        "read": {
            name: living
            for name, infos in held.get("read", {}).items()
            if (living := [info for info in infos if lives(info)])
        },
    }
    if kept != held:
        path.write_text(json.dumps(kept), encoding="utf-8")


def _is_dvc_in(workspace: Path, pid: int) -> bool:
    """Whether a process is DVC at work in the workspace, and not another one with its number."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        here = Path(process.cwd()).is_relative_to(workspace.resolve())
        return here and any("dvc" in part for part in process.cmdline())
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True
