"""Output that never ends the work: a sign the terminal lacks, a reader who left, a closed stream.

Every entry point calls `forgive_output` before it prints or opens anything.
"""

import io
import os
import sys
from typing import TextIO

_STREAMS = ("stdin", "stdout", "stderr")


def forgive_output() -> None:
    """Makes this process's output replace what cannot be written, and go on without a reader."""
    _open_closed_streams()
    for number, name in enumerate(_STREAMS[1:], start=1):
        stream = getattr(sys, name)
        if _is_own(stream, number):
            setattr(sys, name, _forgiving(number, stream))


class _GoesOn(io.FileIO):
    """A descriptor that writes to nowhere once its reader is gone or its disk is full."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BlockingIOError:
            raise
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(memoryview(data).cast("B"))  # type: ignore[arg-type]


def _open_closed_streams() -> None:
    """Gives each closed descriptor of the three to nowhere: a file opened next would take its place."""
    for number, name in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _is_own(stream: object, number: int) -> bool:
    """Whether it is the process's own stream, not one that a test or a notebook put there."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is none
    return isinstance(raw, io.FileIO) and not isinstance(raw, _GoesOn) and raw.fileno() == number


def _forgiving(number: int, stream: TextIO) -> TextIO:
    """A stream over the same descriptor in the same encoding."""
    stream.flush()
    raw = _GoesOn(number, "w", closefd=False)
    eager = any(getattr(stream, name, False) for name in ("line_buffering", "write_through"))
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=eager or number == len(_STREAMS) - 1,
    )
