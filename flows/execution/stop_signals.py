"""SIGINT and SIGTERM end a run in one way, once."""

import signal
import time
from types import FrameType

_CLEAN_UP_SECONDS = 20.0


def stop_once() -> None:
    """Makes SIGTERM end this process as Ctrl-C does; while it cleans up, more of them do nothing.

    A person presses Ctrl-C twice, and a worker sends SIGTERM while Prefect's Cancel is being obeyed.
    """
    asked: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if not asked or time.monotonic() - asked[-1] > _CLEAN_UP_SECONDS:
            asked.append(time.monotonic())
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, stop)
