"""One measurement at a time on this machine, whichever clone of this user starts it."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import PipelineError
from pipeline.core.file_lock import Holder, waited_lock

FOLDER_VARIABLE = "MODELYARD_MACHINE_LOCKS"
"""Environment variable that names another folder for the lock, as one that containers share."""
_TOLD_SECONDS = 10.0


@contextmanager
def measuring_alone(what: str, *, say: Callable[[str], None]) -> Iterator[None]:
    """Holds the machine's lock for measurements; says every ten seconds for whom it waits."""
    told = 0.0

    def waiting(holder: Holder, seconds: float) -> None:
        nonlocal told
        if seconds >= told:
            say(f"waits for another measurement: {holder}")
            told += _TOLD_SECONDS

    with waited_lock(machine_folder() / "measure.lock", what=what, waiting=waiting):
        yield


def machine_folder() -> Path:
    """The folder for what is of this machine: this user alone may write it, and it is the same for a terminal, a schedule and an ssh session."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    folder = Path(tempfile.gettempdir()) / f"modelyard-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PipelineError(
            f"{folder} belongs to another user",
            expected="a folder of your own, where the lock of measurements lies",
            next_step=f"remove it, or name another folder in {FOLDER_VARIABLE}",
        )
    return folder
