"""Closes connections that take a place and bring no request: silent ones, and those that send too slowly.

uvicorn has no time-out but for a kept-alive connection between two requests, so a thousand silent
sockets would use up a process's descriptors. One look around, twice a second, costs less than a timer
a request.
"""

import asyncio
import resource
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

IDLE_SECONDS = 5.0
"""How long a connection may stay open without a request."""
HEAD_SECONDS = 5.0
"""How long the line and the headers of a request may take."""
BODY_SECONDS = 8.5
"""How long a body may take; more than `protocol.BODY_SECONDS`, so that routes give their own reason."""
MOST_CONNECTIONS = 4096
_SPARE_DESCRIPTORS = 96
"""Descriptors for files, pipes and the listener."""
_LOOK_SECONDS = 0.5
Phase = Literal["idle", "head", "body", "busy"]
"""The thing that a connection waits for: a request, the rest of its headers, the rest of its body, its answer."""
_SECONDS: Mapping[Phase, float] = {"idle": IDLE_SECONDS, "head": HEAD_SECONDS, "body": BODY_SECONDS}
_ROOM: Sequence[Phase] = ("idle", "head")


class Connection(Protocol):
    """A connection that can be ended from outside, by what it waited for."""

    def end_waiting(self, phase: Phase) -> None: ...


def most_connections() -> int:
    """The connections that this process may hold, from its limit of descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MOST_CONNECTIONS if soft < 0 else max(8, min(MOST_CONNECTIONS, soft - _SPARE_DESCRIPTORS))
    )


class ConnectionLimits:
    """The open connections by what they wait for, each kind from the oldest to the newest.

    A connection is in one of the tables, or in none while its request is answered.
    """

    def __init__(self, *, most: int, clock: Callable[[], float]) -> None:
        self.most, self._clock = most, clock
        self._tables: dict[Phase, dict[Connection, float]] = {"idle": {}, "head": {}, "body": {}}

    def move(self, connection: Connection, before: Phase, after: Phase) -> None:
        """Notes that a connection waits for something else now."""
        if before != "busy":
            self._tables[before].pop(connection, None)
        if after != "busy":
            self._tables[after][connection] = self._clock()

    def make_room(self) -> bool:
        """Ends the connection that is idle longest, or slowest with its headers; False where none is."""
        for phase in _ROOM:
            if connections := self._tables[phase]:
                connection = next(iter(connections))
                del connections[connection]
                connection.end_waiting(phase)
                return True
        return False

    def look(self) -> None:
        """Ends what took too long."""
        now = self._clock()
        for phase, seconds in _SECONDS.items():
            for connection in _older(self._tables[phase], now - seconds):
                self._tables[phase].pop(connection, None)
                connection.end_waiting(phase)

    async def watch(self) -> None:
        """Looks around until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)


def _older(table: dict[Connection, float], moment: float) -> list[Connection]:
    """The connections that are in a table since before a moment; they stand first."""
    found = []
    for connection, since in table.items():
        if since > moment:
            break
        found.append(connection)
    return found
