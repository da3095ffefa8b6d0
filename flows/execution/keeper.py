"""Keep a service running: start it again when it dies, and bound the size of its log.

    python keeper.py [--patient] LOG COMMAND…      (flows/ui.py starts it, detached)

A service that dies is started again after 1 s, 2 s, 4 s, …, at most a minute, and after 1 s again once
it has run for a minute. One that ends within seconds of the very first start is not, unless the keeper
is patient: `modelyard ui` then says that it did not start. SIGTERM ends the service with all its descendants, and so does the
end of this process, however that ends (flows/execution/supervise.py).

A service writes into a pipe and not into the log itself, for a file that another process holds open
cannot be cut. The log is turned over at 5 MB and two former ones are kept. This is a script of its
own and imports nothing heavy, for it runs as long as the service does.
"""

import logging
import signal
import subprocess
import sys
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType
from typing import IO

LOG_BYTES = 5_000_000
FORMER_LOGS = 2
_FIRST_SECONDS = 10.0
_LONG_SECONDS = 60.0
_SUPERVISE = Path(__file__).parent / "supervise.py"


class Stop(BaseException):
    """The keeper was asked to end."""


def main(log: Path, command: list[str], *, patient: bool = False) -> int:
    """Runs the command again and again; returns its exit code where it never got going, or 0."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        log, maxBytes=LOG_BYTES, backupCount=FORMER_LOGS, encoding="utf-8", errors="replace"
    )
    pause, first = 1.0, True
    try:
        while True:
            started = time.monotonic()
            code = _run(command, handler)
            lived = time.monotonic() - started
            if first and not patient and lived < _FIRST_SECONDS:
                return code or 1
            first, pause = False, 1.0 if lived > _LONG_SECONDS else pause
            _write(handler, f"modelyard: ended with code {code}; starts again in {pause:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONG_SECONDS)
    except Stop:
        return 0


def _run(command: list[str], handler: logging.Handler) -> int:
    """Runs the command once, its lines going to the log; returns its exit code."""
    with subprocess.Popen(
        [sys.executable, "-P", str(_SUPERVISE), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        # A thread, so that a signal is handled at once and not after the next line.
        pump = threading.Thread(target=_pump, args=(process.stdout, handler), daemon=True)
        pump.start()
        try:
            return process.wait()
        finally:
            process.stdin.close()
            process.wait()
            pump.join(timeout=_FIRST_SECONDS)


def _pump(lines: IO[str], handler: logging.Handler) -> None:
    for line in lines:
        _write(handler, line.rstrip("\r\n"))


def _write(handler: logging.Handler, line: str) -> None:
    handler.emit(logging.LogRecord("service", logging.INFO, "", 0, line, None, None))


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stop


if __name__ == "__main__":
    patience = sys.argv[1] == "--patient"
    sys.exit(main(Path(sys.argv[1 + patience]), sys.argv[2 + patience :], patient=patience))
