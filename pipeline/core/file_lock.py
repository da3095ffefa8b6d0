"""An advisory lock on a file, which the system frees when its last holder ends, however that ends.

Neither a kill, nor a reused process id, nor a container that starts again leaves one behind. A child
that inherits the descriptor holds the lock too. The file names its holder, for messages alone.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.core.process_identity import ProcessIdentity, is_running, this_process

_POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who took a lock.

    Attributes:
        process: None where the file does not say, as one that an earlier version wrote.
        what: what is done under the lock.
    """

    process: ProcessIdentity | None = None
    pid: int | None = None
    since: str = "now"
    what: str = ""

    def __str__(self) -> str:
        doing = f"{self.what}, " if self.what else ""
        return f"{doing}process {self.pid or 'unknown'}, since {self.since}"

    @property
    def is_running(self) -> bool:
        """Whether it surely runs here; its children may hold the lock longer than it."""
        return self.process is not None and is_running(self.process)


def try_lock(path: Path, *, what: str = "") -> int | None:
    """Takes the lock and returns its descriptor; None where another process, or this one, has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(path, descriptor):
            _name_holder(descriptor, what)
            return descriptor
        os.close(descriptor)  # its last holder has removed the file meanwhile


def unlock(path: Path, descriptor: int) -> None:
    """Frees a lock and removes its file; for a lock that no child may hold any more."""
    path.unlink(missing_ok=True)
    os.close(descriptor)


def holder_of(path: Path) -> Holder:
    """Who took the lock, as far as its file says."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        process = noted.get("process")
        return Holder(
            process=ProcessIdentity(**process) if process else None,
            pid=noted.get("pid"),
            since=noted.get("since", "now"),
            what=noted.get("what", ""),
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return Holder()  # it is being written at this moment, or nobody holds it


@contextmanager
def waited_lock(
    path: Path, *, what: str, waiting: Callable[[Holder, float], None]
) -> Iterator[int]:
    """Holds the lock, waiting for as long as another has it; yields its descriptor.

    The file stays, since a child may hold the lock longer than the block.

    Args:
        waiting: called several times a second with the holder and the seconds waited so far; it may
            raise to give up.
    """
    started = time.monotonic()
    while (descriptor := try_lock(path, what=what)) is None:
        waiting(holder_of(path), time.monotonic() - started)
        time.sleep(_POLL_SECONDS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that the path names now."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _name_holder(descriptor: int, what: str) -> None:
    process = this_process()
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    noted = {"process": asdict(process), "pid": process.pid, "since": since, "what": what}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(noted).encode(), 0)
