"""The connection between a worker and its supervisor: reports one way, orders the other.

Each side learns at once when the other is gone, however it ended: the system closes its end.
"""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

from pipeline.core.server_note import Phase
from pipeline.core.typed_json import read_as

STOP = b"stop\n"
"""The supervisor's order: the whole server ends, so say that it is not ready."""
REPLACED = b"replaced\n"
"""Another worker takes the connections."""
NEEDS_MODEL, ANY_STATE = "model", "any"
"""Whether a new worker may begin without a model."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A worker's words about itself; the fields are those of `WorkerNote`."""

    phase: Phase = "starting"
    hash: str | None = None
    refused: str | None = None
    reason: str | None = None


def send_report(channel: socket.socket, report: Report) -> None:
    """Tells the supervisor how the worker is. If it is gone, the worker ends for that reason."""
    with suppress(OSError):
        channel.sendall(json.dumps(asdict(report)).encode() + b"\n")


class ReportReader:
    """Reads the reports of one worker, which arrive in pieces."""

    def __init__(self, channel: socket.socket, heard: Callable[[Report], None]) -> None:
        self._channel, self._heard, self._rest = channel, heard, b""

    def read(self) -> bool:
        """Reads what is there without waiting; False once the worker has ended."""
        try:
            received = self._channel.recv(65_536)
        except BlockingIOError:
            return True
        except OSError:
            received = b""
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            self._heard(read_as(Report, json.loads(line)))
        return bool(received)
