"""The generator of load asks a real server over real connections, and says what it saw."""

import asyncio

import numpy as np
import pytest

from benchmarks.support.load_client import closed_loop, open_loop, run_load
from benchmarks.support.traffic import get, post
from tests.support.scripted_server import scripted_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"


async def at_once(number: int, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def test_requests_are_what_http_says() -> None:
    assert get("/x") == b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head, _, body = post("/x", {"text": "é"}, {"X-Deadline-Ms": "5"}).partition(b"\r\n\r\n")
    assert body == '{"text": "é"}'.encode()
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"X-Deadline-Ms: 5" in head


def test_a_closed_loop_asks_again_as_soon_as_it_is_answered() -> None:
    with scripted_server(at_once) as place:
        found = run_load(closed_loop(place, [get("/")], connections=3, seconds=0.2))
    assert found.failed == 0
    assert len(found) > 10
    assert (np.sort(found.due) == found.due).all()
    assert found.due[3] >= found.done[:3].min()


def test_who_is_refused_in_a_closed_loop_does_not_come_again_at_once() -> None:
    async def busy(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(BUSY.replace(b"Connection: close\r\n", b""))

    with scripted_server(busy) as place:
        found = run_load(closed_loop(place, [get("/")], connections=1, seconds=0.3))
    assert set(found.status.tolist()) == {503}
    assert len(found) <= 7


def test_an_open_loop_asks_when_it_is_time_whatever_the_server_does() -> None:
    due = np.array([0.0, 0.01, 0.02, 0.10])

    async def slow_at_first(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2 if number == 0 else 0)
        writer.write(OK)

    with scripted_server(slow_at_first) as place:
        found = run_load(open_loop(place, [get("/")], due=due, connections=4))
    assert found.due.tolist() == due.tolist()
    assert found.failed == 0
    assert (found.sent >= due).all()
    assert found.done[1] < found.done[0]


def test_an_open_loop_without_a_free_connection_charges_the_wait_to_the_server() -> None:
    async def slow(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(OK)

    with scripted_server(slow) as place:
        found = run_load(open_loop(place, [get("/")], due=np.zeros(3), connections=1))
    assert found.milliseconds[2] >= 300
    assert found.done[2] - found.sent[2] < found.milliseconds[2] / 1000


def test_a_connection_that_ends_is_replaced_and_its_request_failed() -> None:
    async def every_third_ends(number: int, writer: asyncio.StreamWriter) -> None:
        if number % 3 == 0:
            writer.close()
        else:
            writer.write(BUSY if number % 3 == 1 else OK)

    with scripted_server(every_third_ends) as place:
        due = np.arange(30) / 1000
        found = run_load(open_loop(place, [get("/")], due=due, connections=2, keep=True))
    assert sorted(found.status.tolist()) == [0] * 10 + [200] * 10 + [503] * 10
    assert "the connection ended before the answer" in found.faults[0]
    assert set(found.kept.values()) == {OK, BUSY}


async def never(number: int, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("kind", ["open", "closed"])
def test_a_load_on_a_server_that_stalls_comes_to_an_end_and_says_so(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.support.load_client.PATIENCE_SECONDS", 0.2)
    with scripted_server(never) as place:
        if kind == "open":
            load = open_loop(place, [get("/")], due=np.zeros(3), connections=1)
        else:
            load = closed_loop(place, [get("/")], connections=3, seconds=0.1)
        found = run_load(load)
    assert found.status.tolist() == [0, 0, 0]
    assert found.faults == ("no answer within 0.2 s of the last request",)
