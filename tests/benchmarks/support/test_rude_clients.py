"""Clients that leave early, say nothing or say it slowly do so, and tell when the server closed them."""

import asyncio

from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import run_load
from benchmarks.support.rude_clients import Held, hold_open, leave_early
from benchmarks.support.traffic import get, post
from tests.support.scripted_server import scripted_server


def test_clients_that_leave_early_have_sent_everything_before() -> None:
    heads: list[int] = []
    ended: list[bool] = []

    async def wait(number: int, writer: asyncio.StreamWriter) -> None:
        heads.append(number)
        await asyncio.sleep(0.2)
        ended.append(writer.transport.is_closing() or await left(writer))

    with scripted_server(wait) as place:
        run_load(asyncio.wait_for(leave_and_stay(place), 20))
    assert (len(heads), ended) == (3, [True] * 3)


async def left(writer: asyncio.StreamWriter) -> bool:
    """Whether the other side has closed: writing to it fails within some pieces."""
    try:
        for _ in range(20):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)
    except ConnectionError:
        return True
    return False


async def leave_and_stay(place: Place) -> None:
    request = post("/predict", {"texts": ["a text"]})
    await leave_early(place, [request] * 3, after=0.005)
    await asyncio.sleep(0.8)


async def held(place: Place, seconds: float) -> Held:
    opened = asyncio.Event()
    slow = [get("/")] * 2
    found = await hold_open(place, silent=3, slow=slow, seconds=seconds, opened=opened)
    assert opened.is_set()
    return found


async def never(number: int, writer: asyncio.StreamWriter) -> None:
    raise AssertionError("no request is whole")


def test_a_server_that_closes_nobody_leaves_all_open() -> None:
    with scripted_server(never) as place:
        found = run_load(held(place, 1.0))
    assert found == Held(closed_after=[], still_open=5, refused=0)


def test_a_server_that_closes_everybody_is_seen_to_do_so() -> None:
    async def closing() -> Held:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            return await held(server.sockets[0].getsockname(), 1.0)

    found = run_load(closing())
    assert (len(found.closed_after), found.still_open) == (5, 0)
    assert max(found.closed_after) < 20
