"""Ends a server without a failed request.

Kept-alive connections are the difficulty: a server that closes one may do so just as its client
sends the next request, which is then lost. So a server that ends still answers, each answer says
`Connection: close`, and the client opens its next connection elsewhere. Only a request that takes
longer than the limit gets a 503.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serving.connection_limits import IDLE_SECONDS
from pipeline.serving.protocol import ProtocolError
from pipeline.web.json_answers import error_response

GRACE_SECONDS = 5.0
"""How long requests that run may take once the server takes no more."""
REPLACEMENT_SECONDS = 30.0
"""How long a worker that ends still takes connections if no other does."""
_POLL_SECONDS = 0.02
_CLOSE = (b"connection", b"close")


class Direct(Protocol):
    """A connection that answers a request without the application."""

    def give_up(self, reason: ProtocolError) -> None: ...


class RunningRequests:
    """An application around another, for the time in which the server ends.

    Attributes:
        closing: whether each answer tells the client to open its next connection elsewhere.
        direct: connections that are answering a request without the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app, self.closing = app, False
        self.direct: set[Direct] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if self.closing and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], _CLOSE]}
            started = True
            await send(message)

        self._tasks.add(task)
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if started or not self._over:
                raise
            await error_response(_too_late())(scope, receive, answer)
        finally:
            self._tasks.discard(task)

    def __len__(self) -> int:
        """How many requests run now."""
        return len(self._tasks) + len(self.direct)

    def give_up(self) -> None:
        """Answers 503 to every request that has no answer yet."""
        self._over = True
        for task in tuple(self._tasks):
            task.cancel()
        for connection in tuple(self.direct):
            connection.give_up(_too_late())


class DrainingServer(uvicorn.Server):
    """A server that, on SIGTERM, goes on for a while and says `Connection: close`, then ends.

    Attributes:
        stopping: set where the whole server ends, not only this worker.
        replaced: set once another worker takes new connections; then this one takes none.
        deserted: set where nobody holds the socket any more; it is closed at once then.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        requests: RunningRequests,
        drain: float,
        grace: float = GRACE_SECONDS,
        started: Callable[[], None],
        leaving: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._requests, self._drain, self._grace = requests, drain, grace
        self._tell_started, self._tell_leaving = started, leaving
        self.stopping = self.replaced = self.deserted = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to end on SIGTERM. Ctrl-C in a terminal is the supervisor's to answer."""
        if sig == signal.SIGTERM:
            super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Lets each answer say from now on that the whole server ends."""
        self.stopping = self._requests.closing = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers what comes during the drain time and what runs then, and ends."""
        self._tell_leaving()
        self._requests.closing = True
        since = time.monotonic()
        await self._until(lambda: self._has_listened_enough(since), seconds=float("inf"))
        for server in self.servers:
            server.close()
        if not self.stopping and not self.deserted:
            # No hurry: each connection is told with its next answer, or ends when it was idle.
            await self._until_unconnected(seconds=IDLE_SECONDS + 1)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_unconnected(seconds=self._grace)
        self._requests.give_up()
        await self._until_unconnected(seconds=1)
        await super().shutdown(sockets)

    def _has_listened_enough(self, since: float) -> bool:
        longest = self._drain if self.stopping else REPLACEMENT_SECONDS
        return self.deserted or self.replaced or time.monotonic() - since >= longest

    async def _until_unconnected(self, *, seconds: float) -> None:
        await self._until(lambda: not self.server_state.connections, seconds=seconds)

    async def _until(self, condition: Callable[[], bool], *, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(_POLL_SECONDS)


def _too_late() -> ProtocolError:
    return ProtocolError(
        503,
        got="a request that was still running when the server ended",
        expected=f"one that ends within {GRACE_SECONDS:g} s",
        next_step="send it again; split it if it was large",
        headers={"retry-after": "1"},
    )
