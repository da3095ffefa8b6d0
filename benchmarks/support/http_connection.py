"""A connection of HTTP/1.1 that reads as little of an answer as a generator of load must know."""

import asyncio
from typing import Protocol, cast

Place = tuple[str, int]
"""Host and port."""
_LENGTH = b"\r\ncontent-length:"
_CLOSES = b"\r\nconnection: close"


def whole_answer(data: bytes) -> tuple[int, bool] | None:
    """Status of the answer that begins `data`, and whether its connection ends; None until it is whole.

    Raises:
        ValueError: it does not say how long it is, or is no answer of HTTP.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0 or not head.startswith(b"http/1."):
        raise ValueError(f"an answer without Content-Length: {data[:60]!r}")
    start = at + len(_LENGTH)
    if len(data) < end + 4 + int(head[start : head.index(b"\r\n", start)]):
        return None
    return int(head[9:12]), _CLOSES in head


class Owner(Protocol):
    """The owner of a connection, who is told what happens on it."""

    def answered(self, number: int, status: int, data: bytes) -> None:
        """Takes the answer to request `number`, head and body."""

    def ready(self, connection: "HttpConnection") -> None:
        """Takes a connection on which nothing waits."""

    def lost(self, connection: "HttpConnection", error: Exception | None) -> None:
        """Takes one that has ended."""

    def fail(self, fault: str) -> None:
        """Takes the reason why an answer is none."""


class HttpConnection(asyncio.Protocol):
    """One connection, on which at most one request waits.

    Attributes:
        number: of the request that waits.
        alive: until the connection has ended.
        last: status of its last answer; 0 before the first.
    """

    def __init__(self, owner: "Owner") -> None:
        self._owner, self._held = owner, b""
        self.number: int | None = None
        self.alive, self.last = True, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, number: int, request: bytes) -> None:
        self.number = number
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._held + data if self._held else data
        try:
            answer = whole_answer(data)
        except ValueError as error:
            self._owner.fail(str(error))
            self._transport.abort()
            return
        if answer is None or self.number is None:
            self._held = data
            return
        self._held, number, self.number = b"", self.number, None
        self.last, ends = answer
        self._owner.answered(number, self.last, data)
        if ends:
            self._transport.close()
        else:
            self._owner.ready(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        self._owner.lost(self, exc)

    def close(self) -> None:
        self._transport.close()
