"""Clients that do a server harm: some leave before their answer, some say nothing, some a byte a second."""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.support.http_connection import Place

_OPENED_TOGETHER = 50
_SEND_BUFFER = 1 << 20


@dataclass(frozen=True)
class Held:
    """The fate of connections that were held open.

    Attributes:
        closed_after: seconds until the server closed each that it closed.
        still_open: how many it had not closed by the end.
        refused: how many it did not take.
    """

    closed_after: Sequence[float]
    still_open: int
    refused: int


async def leave_early(place: Place, requests: Sequence[bytes], *, after: float) -> None:
    """Sends each request on a connection of its own, all at once, and closes them after `after` seconds.

    Each request has left this process by then: the server gets all of it, and then the end.
    """
    loop = asyncio.get_running_loop()
    transports: list[asyncio.Transport] = []
    for first in range(0, len(requests), _OPENED_TOGETHER):
        some = requests[first : first + _OPENED_TOGETHER]
        made = await asyncio.gather(
            *(loop.create_connection(asyncio.Protocol, *place) for _ in some)
        )
        transports += [transport for transport, _ in made]
    for transport, request in zip(transports, requests, strict=True):
        buffer = (socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        transport.get_extra_info("socket").setsockopt(*buffer)
        transport.write(request)
    await asyncio.sleep(after)
    for transport in transports:
        transport.close()


class _Holding(asyncio.Protocol):
    """A connection that notes when the server closes it."""

    def __init__(self) -> None:
        self.closed_after: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self._since = cast(asyncio.Transport, transport), time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed_after = time.monotonic() - self._since


async def hold_open(
    place: Place, *, silent: int, slow: Sequence[bytes], seconds: float, opened: asyncio.Event
) -> Held:
    """Holds connections for so many seconds: `silent` that send nothing, the others a byte a second.

    Args:
        slow: the requests that are sent by the byte, each on a connection of its own.
        opened: is set once all of them are open.
    """
    loop = asyncio.get_running_loop()
    held: list[_Holding] = []
    refused = 0
    for first in range(0, silent + len(slow), _OPENED_TOGETHER):
        count = min(_OPENED_TOGETHER, silent + len(slow) - first)
        opening = (loop.create_connection(_Holding, *place) for _ in range(count))
        for made in await asyncio.gather(*opening, return_exceptions=True):
            if isinstance(made, BaseException):
                refused += 1
            else:
                held.append(made[1])
    opened.set()
    for at in range(round(seconds)):
        for connection, request in zip(held[silent:], slow, strict=False):
            if connection.closed_after is None:
                connection.transport.write(request[at : at + 1])
        await asyncio.sleep(1)
    found = [each.closed_after for each in held if each.closed_after is not None]
    for each in held:
        each.transport.abort()
    return Held(closed_after=found, still_open=len(held) - len(found), refused=refused)
