"""A server of sockets in a thread, which answers each request as a test says."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import cast

Reply = Callable[[int, asyncio.StreamWriter], Awaitable[None]]
"""Answers the request of a number, counted over all connections."""
Place = tuple[str, int]


@contextmanager
def scripted_server(reply: Reply) -> Iterator[Place]:
    """A server in a thread that has `reply` answer each head of a request; yields its host and port."""
    place: Future[Place] = Future()
    end = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(reply, place, end)))
    thread.start()
    try:
        yield place.result(20)
    finally:
        end.set()
        thread.join()


async def _serve(reply: Reply, place: "Future[Place]", end: threading.Event) -> None:
    asked = itertools.count()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(cast(asyncio.Task[None], asyncio.current_task()))
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await reader.readuntil(b"\r\n\r\n"):
                await reply(next(asked), writer)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        place.set_result(listening.sockets[0].getsockname())
        while not end.is_set():
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks)
