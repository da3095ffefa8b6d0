"""A steady load on a server: kept-alive connections, one request after another, nothing retried."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Outcome:
    """What the clients saw.

    Attributes:
        failures: requests without an answer, and how each failed.
        closed: answers that said `Connection: close`.
        milliseconds: how long each answer took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    closed: int = 0
    milliseconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        return len(self.failures) + self.answered - self.statuses[200]

    def percentile(self, share: float) -> float:
        """The time below which this share of the answers lies, milliseconds."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def steady_load(
    url: str | Callable[[], str], *, connections: int = 4, rate: float = 200.0
) -> Iterator[Outcome]:
    """Asks `rate` times a second over `connections` until the block ends.

    Args:
        url: the server's; a function is asked for each new connection.
    """
    outcome, stop = Outcome(), threading.Event()
    place = url if callable(url) else lambda: url

    async def ask() -> None:
        pause = connections / rate
        await asyncio.gather(*(_ask(place, pause, outcome, stop) for _ in range(connections)))

    thread = threading.Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    try:
        yield outcome
    finally:
        stop.set()
        thread.join()


async def _ask(
    place: Callable[[], str], pause: float, outcome: Outcome, stop: threading.Event
) -> None:
    body = json.dumps({"text": "a warm funny film"}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Content-Type: application/json\r\n\r\n".encode() + body
    connection, due = None, time.perf_counter()
    while not stop.is_set():
        started = time.perf_counter()
        try:
            if connection is None:
                address = urlsplit(place())
                connection = await asyncio.open_connection(address.hostname, address.port)
            closes = await asyncio.wait_for(_exchange(*connection, request, outcome), 20)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            outcome.failures.append(repr(error))
            closes = True
        outcome.milliseconds.append(1000 * (time.perf_counter() - started))
        if closes and connection is not None:
            await _close(connection[1])
            connection = None
        due = max(due + pause, time.perf_counter() - 10 * pause)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    if connection is not None:
        await _close(connection[1])


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, outcome: Outcome
) -> bool:
    """Sends a request and reads its answer; True if the server will close the connection."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
    await reader.readexactly(int(length))
    outcome.statuses[int(head.split()[1])] += 1
    closes = b"connection: close" in head
    outcome.closed += closes
    return closes


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
