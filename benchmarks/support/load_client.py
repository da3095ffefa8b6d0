"""A generator of load: many connections in one loop of uvloop, each answer timed from when it was due.

Closed loop: each connection asks as soon as it has its answer, which finds the most a server can do.
Open loop: requests come when they come, whatever the server does, as those of many people do. A timer of
the loop counts milliseconds, so the last two before a request is due are spent asking the clock.
"""

import asyncio
import gc
import time
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import uvloop

from benchmarks.support.http_connection import HttpConnection, Place
from benchmarks.support.load_figures import BUSY, UNANSWERED, Answers, Times

Result = TypeVar("Result")
PATIENCE_SECONDS = 5.0
"""How long the last answers may take once no more requests come."""
_FAULTS_KEPT = 3
_AGAIN_SECONDS = 0.01
_REFUSED_SECONDS = 0.05
_OPENED_TOGETHER = 64
_SLEPT_UNTIL, _NAP = 0.003, 0.002


def run_load(load: Coroutine[Any, Any, Result]) -> Result:
    """Runs a load to its end. Garbage is not collected meanwhile: that pause would be the server's."""
    gc.collect()
    gc.disable()
    try:
        return uvloop.run(load)
    finally:
        gc.enable()


async def closed_loop(
    place: Place, requests: Sequence[bytes], *, connections: int, seconds: float, keep: bool = False
) -> Answers:
    """Asks over each connection as soon as it is answered; the requests in turn, again and again."""
    sender = _Closed(place, requests, keep=keep)
    return await sender.run(connections, seconds=seconds)


async def open_loop(
    place: Place, requests: Sequence[bytes], *, due: Times, connections: int, keep: bool = False
) -> Answers:
    """Asks at the times `due`, seconds from the beginning; where no connection is free, soon after.

    Args:
        requests: in turn, again and again.
        connections: as many as may wait for an answer at once.
    """
    sender = _Open(place, requests, due=due, keep=keep)
    return await sender.run(connections, seconds=float(due[-1]))


class _Sender(ABC):
    """Connections to one server, and the times of what is asked over them."""

    def __init__(self, place: Place, requests: Sequence[bytes], *, keep: bool) -> None:
        self._place, self._requests = place, requests
        self._kept: dict[int, bytes] | None = {} if keep else None
        self._due, self._sent, self._done = (array("d") for _ in range(3))
        self._status = array("l")
        self._faults: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._connections: set[HttpConnection] = set()
        self._reopening: set[asyncio.Task[None]] = set()
        self._begun = 0.0

    async def run(self, connections: int, *, seconds: float) -> Answers:
        """Opens the connections, sends the load and waits for its answers."""
        opened: list[HttpConnection] = []
        for first in range(0, connections, _OPENED_TOGETHER):
            count = min(_OPENED_TOGETHER, connections - first)
            opened += await asyncio.gather(*(self._open() for _ in range(count)))
        self._begun = time.perf_counter()
        giving_up = self._loop.call_later(seconds + PATIENCE_SECONDS, self._give_up)
        self.begin(opened, seconds=seconds)
        await self._over
        giving_up.cancel()
        for task in self._reopening:
            task.cancel()
        for connection in tuple(self._connections):
            connection.close()
        await asyncio.sleep(0)
        return Answers(
            due=np.array(self._due),
            sent=np.array(self._sent),
            done=np.array(self._done),
            status=np.array(self._status),
            faults=tuple(self._faults),
            kept=self._kept or {},
        )

    @abstractmethod
    def begin(self, connections: Sequence[HttpConnection], *, seconds: float) -> None:
        """Begins to ask."""

    @abstractmethod
    def ready(self, connection: HttpConnection) -> None:
        """Takes a connection on which nothing waits."""

    def settle(self) -> None:  # noqa: B027 - a sender of a closed loop counts nothing
        """Counts a request that has its answer, or will never have one."""

    def answered(self, number: int, status: int, data: bytes) -> None:
        """Notes an answer."""
        self._done[number] = time.perf_counter() - self._begun
        self._status[number] = status
        if self._kept is not None:
            self._kept[number] = data
        self.settle()

    def fail(self, fault: str) -> None:
        """Keeps the reasons of the first failures."""
        if len(self._faults) < _FAULTS_KEPT:
            self._faults.append(fault)

    def lost(self, connection: HttpConnection, error: Exception | None) -> None:
        """Opens another connection in place of one that ended."""
        self._connections.discard(connection)
        if self._over.done():
            return
        if connection.number is not None:
            connection.number = None
            self.fail(f"the connection ended before the answer: {error!r}")
            self.settle()
        # One that was closed before it was of use would only be closed again.
        pause = 0.0 if connection.last else _AGAIN_SECONDS
        task = self._loop.create_task(self._reopen(pause))
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    def _now(self) -> float:
        return time.perf_counter() - self._begun

    def _note(self, due: float) -> int:
        """Notes a request and returns its number."""
        self._due.append(due)
        for times in (self._sent, self._done):
            times.append(float("nan"))
        self._status.append(UNANSWERED)
        return len(self._due) - 1

    def _ask(self, connection: HttpConnection, number: int) -> None:
        self._sent[number] = self._now()
        connection.ask(number, self._requests[number % len(self._requests)])

    async def _open(self) -> HttpConnection:
        make = partial(HttpConnection, self)
        _, connection = await self._loop.create_connection(make, *self._place)
        self._connections.add(connection)
        return connection

    async def _reopen(self, pause: float) -> None:
        while not self._over.done():
            await asyncio.sleep(pause)
            try:
                connection = await self._open()
            except OSError as error:
                self.fail(f"no connection: {error}")
                pause = _AGAIN_SECONDS
            else:
                self.ready(connection)
                return

    def _give_up(self) -> None:
        self.fail(f"no answer within {PATIENCE_SECONDS:g} s of the last request")
        self._end()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


class _Closed(_Sender):
    _until = 0.0

    def begin(self, connections: Sequence[HttpConnection], *, seconds: float) -> None:
        self._until, self._asking = seconds, len(connections)
        for connection in connections:
            self.ready(connection)

    def ready(self, connection: HttpConnection) -> None:
        if connection.last == BUSY:  # who is refused comes again, but not at once
            self._loop.call_later(_REFUSED_SECONDS, self._next, connection)
        else:
            self._next(connection)

    def _next(self, connection: HttpConnection) -> None:
        if not connection.alive:
            return  # the one in its place asks
        now = self._now()
        if now < self._until:
            self._ask(connection, self._note(now))
            return
        self._asking -= 1
        if self._asking == 0:
            self._end()


class _Open(_Sender):
    def __init__(self, place: Place, requests: Sequence[bytes], *, due: Times, keep: bool) -> None:
        super().__init__(place, requests, keep=keep)
        self._times, self._next = due.tolist(), 0
        self._free: deque[HttpConnection] = deque()
        self._waiting: deque[int] = deque()
        self._unfinished = len(self._times)

    def begin(self, connections: Sequence[HttpConnection], *, seconds: float) -> None:
        self._free.extend(connections)
        self._pace()

    def ready(self, connection: HttpConnection) -> None:
        if self._waiting:
            self._ask(connection, self._waiting.popleft())
        else:
            self._free.append(connection)

    def settle(self) -> None:
        self._unfinished -= 1
        if self._unfinished == 0:
            self._end()

    def _free_connection(self) -> HttpConnection | None:
        """One on which nothing waits and that the server has not closed; None where there is none."""
        while self._free:
            connection = self._free.popleft()
            if connection.alive:
                return connection
        return None

    def _pace(self) -> None:
        """Sends what is due, and comes back for the next."""
        times = self._times
        while self._next < len(times) and times[self._next] <= self._now():
            number = self._note(times[self._next])
            self._next += 1
            if connection := self._free_connection():
                self._ask(connection, number)
            else:
                self._waiting.append(number)
        if self._next == len(times):
            return
        gap = times[self._next] - self._now()
        if gap > _SLEPT_UNTIL:
            self._loop.call_later(gap - _NAP, self._pace)
        else:
            self._loop.call_soon(self._pace)
