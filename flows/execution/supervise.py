"""Run one command, and end it when the flow that started it ends, however that ends.

    python supervise.py COMMAND…      (flows/execution/runner.py starts it, with a pipe as stdin)

The flow holds the other end of the pipe. When that closes (cancelled, crashed, killed with -9),
every descendant of this process is ended and reaped. On Linux this process also adopts orphans of
its descendants: none lives on, and none stays a zombie whose process number DVC would take for the
holder of a lock. Of a command that fails it prints the peak memory, for whoever asks why. It is a
script of its own so that it starts in milliseconds.
"""

import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_GRACE_SECONDS = 5.0
_SIGNALLED = 128
_STOPPED = _SIGNALLED + signal.SIGTERM


def main(command: list[str]) -> int:
    """Runs `command`; returns its exit code as a shell gives it, or 143 when it was stopped."""
    wakeup = _wake_on_signals()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    code = _wait(child.pid, wakeup)
    end_descendants()
    if code:
        _tell_peak_memory()
    return _STOPPED if code is None else code if code >= 0 else _SIGNALLED - code


def end_descendants() -> None:
    """Ends every descendant of this process: asked first, killed after five seconds."""
    import psutil  # imported late: the common case has nothing to end

    me, deadline, asked = psutil.Process(), time.monotonic() + _GRACE_SECONDS, set[int]()
    while alive := [p for p in me.children(recursive=True) if p.is_running()]:
        for process in alive:
            try:
                if time.monotonic() > deadline:
                    process.kill()
                elif process.pid not in asked:
                    process.terminate()
            except psutil.NoSuchProcess:
                continue
            asked.add(process.pid)
        _reap(-1)
        time.sleep(0.02)


def _tell_peak_memory() -> None:
    """Prints the peak memory of the largest descendant; macOS counts bytes, Linux kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with suppress(OSError):  # nobody reads it any more
        print(
            f"peak memory {peak // (1 << 20 if sys.platform == 'darwin' else 1024)} MB", flush=True
        )


def _wait(child: int, wakeup: int) -> int | None:
    """Exit code of the child, or None where this process was asked to stop before."""
    while True:
        ready, _, _ = select.select([sys.stdin.fileno(), wakeup], [], [], 1.0)
        code = _reap(child)
        if code is not None:
            return code
        if wakeup in ready and signal.SIGTERM in os.read(wakeup, 64):
            return None
        if sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 64):
            return None


def _reap(wanted: int) -> int | None:
    """Reaps ended processes; returns the exit code of `wanted` if it is one of them."""
    found: int | None = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == wanted:
            found = os.waitstatus_to_exitcode(status)


def _wake_on_signals() -> int:
    """A descriptor that becomes readable when a child ends or this process is asked to stop."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return reading


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
