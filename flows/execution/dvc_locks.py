"""Who holds DVC's lock on a workspace, so that a build that waits can say for whom."""

import fcntl
from pathlib import Path

_LONGEST = 80


def holder_of_dvc_lock(workspace: Path, *, ours: int) -> str | None:
    """The process for which `dvc` waits, which the supervisor `ours` has started.

    None where nobody holds the lock, where our own `dvc` does, and while it runs a stage.
    """
    import psutil

    path = workspace / ".dvc" / "tmp" / "lock"
    try:
        with path.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go when the file is closed
        return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        pass
    try:
        family = psutil.Process(ours).children(recursive=True)
        process = psutil.Process(int(path.read_text(encoding="utf-8").strip()))
        if process in family or len(family) > 1:
            return None
        command = " ".join(" ".join(process.cmdline()).split())
        return f"process {process.pid} ({command[-_LONGEST:]})"
    except (OSError, ValueError, psutil.Error):
        return "another DVC process"
