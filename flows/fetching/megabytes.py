"""Progress of a transfer in megabytes, also of one whose length nobody knows."""

import time

from pipeline.core.progress import INTERVAL_SECONDS, Progress, say

MEGABYTE = 1_000_000


class MegabyteProgress:
    """Prints how much has come: with the time left where the total is known.

    Args:
        total: bytes in all; None where the server does not say.
        done: bytes that had come before.
    """

    def __init__(self, task: str, *, total: int | None, done: int = 0) -> None:
        self._task, self._known, self._told = task, bool(total), done // MEGABYTE
        self._spoke = time.monotonic()
        whole = -(-(total or 0) // MEGABYTE)
        self._progress = Progress(f"{task}, MB", whole, done=self._told)

    def update(self, size: int) -> None:
        """Takes the bytes that have come; prints a line when it is time for one."""
        megabytes = size // MEGABYTE
        if megabytes == self._told:
            return
        self._told = megabytes
        if self._known:
            self._progress.update(megabytes)
        elif time.monotonic() - self._spoke >= INTERVAL_SECONDS:
            self._spoke = time.monotonic()
            say(f"{self._task}  {megabytes:,} MB so far")
