"""A connection of a real server in this process: the short way gives what uvicorn's way gives, and ends well."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request
from pipeline.serving.app import create_serving
from pipeline.serving.connection_limits import ConnectionLimits
from pipeline.serving.drain import DrainingServer, RunningRequests
from pipeline.serving.exchange import Outcome, Shared
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.job import Job, Work
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.server import bind
from pipeline.serving.worker import server_config
from tests.support.server import holder_of
from tests.support.tiny_bundle import make_tiny_bundle

TEXT = b'{"text": "a warm funny film"}'


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


@dataclass
class Server:
    """A server in this process, and what it tells of itself."""

    port: int
    scheduler: Scheduler
    limits: ConnectionLimits
    server: DrainingServer
    outcomes: list[Outcome] = field(default_factory=list)
    seen: list[list[Request]] = field(default_factory=list)

    async def ask(self, *requests: bytes, answers: int | None = None) -> list["Reply"]:
        """Sends bytes on one connection and reads as many answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            found = []
            for number in range(answers or len(requests)):
                if answers is None:
                    writer.write(requests[number])
                elif number == 0:
                    writer.write(b"".join(requests))
                found.append(await read_reply(reader))
            return found
        finally:
            writer.close()


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: int
    headers: dict[str, str]
    body: Any


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    line, *lines = head.strip().split("\r\n")
    headers = dict(entry.split(": ", 1) for entry in lines)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(int(line.split()[1]), headers, json.loads(body) if body else None)


def post(
    body: bytes = TEXT, *, target: str = "/predict", version: str = "1.1", **headers: str
) -> bytes:
    """A request as bytes; `_` in the name of a header is a dash."""
    fields = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    fields.setdefault("Content-Length", str(len(body)))
    lines = [f"POST {target} HTTP/{version}", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def serving(holder: ModelHolder, **options: Any) -> AsyncIterator[Server]:
    listener = bind("127.0.0.1", 0)
    scheduler = options.pop("scheduler", None) or Scheduler(cores=1)
    limits = ConnectionLimits(most=options.pop("most", 100), clock=time.monotonic)
    outcomes: list[Outcome] = []
    seen: list[list[Request]] = []

    def observe(
        model: ServedModel, requests: list[Request], found: list[Prediction], ms: float
    ) -> None:
        assert model is holder.current
        assert len(requests) == len(found)
        assert ms > 0
        seen.append(requests)

    made = create_serving(holder, scheduler=scheduler, observers=[observe], **options)
    running, started = RunningRequests(made.app), asyncio.Event()
    headers = [(k.encode(), v.encode()) for k, v in made.headers.items()]
    shared = Shared(
        texts=made.texts,
        guard=made.guard,
        running=running,
        limits=limits,
        headers=headers,
        names=lambda: made.watch.names(None),
        watchers=[outcomes.append],
    )
    server = DrainingServer(
        server_config(running, shared),
        requests=running,
        drain=0,
        started=started.set,
        leaving=lambda: None,
    )
    server.stopping = True
    ended = asyncio.create_task(server.serve([listener]))
    await started.wait()
    try:
        port = listener.getsockname()[1]
        yield Server(port, scheduler, limits, server, outcomes, seen)
    finally:
        server.should_exit = True
        await ended


def with_server(
    holder: ModelHolder, scenario: Callable[[Server], Awaitable[None]], **options: Any
) -> None:
    """Runs a scenario with a server."""

    async def run() -> None:
        async with serving(holder, **options) as server:
            await scenario(server)

    asyncio.run(run())


@pytest.mark.parametrize(
    "sent",
    [
        post(),
        post(b'{"texts": ["good", "bad", "the film"]}'),
        post(version="1.0"),
        post(X_Deadline_Ms="5000"),
        post(b"{"),
        post(b'{"text": ""}'),
        post(b'{"text": "a", "second": "b"}'),
        post(Content_Type="text/plain"),
        post(Content_Encoding="br"),
        post(Host="evil.example"),
        post(X_Deadline_Ms="soon"),
        post(X_Deadline_Ms="0"),
        post(b"b" * 1_000_001),
        post(
            b'5\r\n{"tex\r\n18\r\nt": "a warm funny film"}\r\n0\r\n\r\n',
            Transfer_Encoding="chunked",
            Content_Length="",
        ),
    ],
    ids=lambda sent: sent[17:60].decode("latin-1").replace("\r\n", " "),
)
def test_the_short_way_answers_as_uvicorns_way_does(holder: ModelHolder, sent: bytes) -> None:
    sent = sent.replace(b"Content-Length: \r\n", b"")

    async def scenario(server: Server) -> None:
        (short,) = await server.ask(sent)
        assert len(server.outcomes) == 1
        # A query leads past the short way.
        (long,) = await server.ask(sent.replace(b"/predict HTTP", b"/predict?a HTTP"))
        assert len(server.outcomes) == 1
        assert short.status == long.status == server.outcomes[0].status
        varying = {"date", "server-timing", "content-length"}
        assert short.headers.keys() == long.headers.keys()
        for name in short.headers.keys() - varying:
            assert short.headers[name] == long.headers[name]
        for answer in (short.body, long.body):
            answer.pop("milliseconds", None)
        assert short.body == long.body

    with_server(holder, scenario)


def test_an_answer_names_its_model_and_says_what_took_how_long(holder: ModelHolder) -> None:
    async def scenario(server: Server) -> None:
        (answer,) = await server.ask(post())
        assert holder.current is not None
        assert answer.headers["bundle-hash"] == holder.current.bundle.hash
        assert answer.headers["model-version"] == holder.current.bundle.hash[:12]
        assert answer.headers["server-timing"].startswith("queue;dur=")
        assert answer.body["predictions"][0]["label"] == "positive"

    with_server(holder, scenario)


def test_a_connection_takes_one_request_after_the_other_and_several_at_once(
    holder: ModelHolder,
) -> None:
    async def scenario(server: Server) -> None:
        one_by_one = await server.ask(post(), post(b"{"), post(target="/nowhere"), post())
        assert [reply.status for reply in one_by_one] == [200, 400, 404, 200]
        both = [post(), post(b'{"text": "dull"}'), post(target="/nowhere"), post()]
        at_once = await server.ask(*both, answers=4)
        assert [reply.status for reply in at_once] == [200, 200, 404, 200]
        assert at_once[1].body["predictions"][0]["label"] == "negative"

    with_server(holder, scenario)


def test_a_body_in_pieces_and_one_that_waits_to_be_asked_for_are_answered(
    holder: ModelHolder,
) -> None:
    async def scenario(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for byte in post():
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await read_reply(reader)).status == 200
        head, _, body = post(Expect="100-continue").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(body)
        assert (await read_reply(reader)).status == 200
        writer.close()

    with_server(holder, scenario)


def test_without_the_token_nothing_is_read(holder: ModelHolder) -> None:
    async def scenario(server: Server) -> None:
        refused, taken = await server.ask(
            post(), post(Authorization="Bearer a-secret-of-enough-length")
        )
        assert (refused.status, taken.status) == (401, 200)
        assert refused.headers["www-authenticate"] == "Bearer"

    with_server(holder, scenario, token="a-secret-of-enough-length")


def test_observers_are_told_of_answers_whichever_way_they_took(holder: ModelHolder) -> None:
    async def scenario(server: Server) -> None:
        await server.ask(post(), post(b"{"), post(target="/predict?a"))
        assert server.seen == [["a warm funny film"]] * 2

    with_server(holder, scenario)


def waits(gate: threading.Event) -> Work:
    """Work of one run that ends once the gate is open."""
    gate.wait(30)
    return "done"
    yield


def fill(scheduler: Scheduler, gate: threading.Event) -> None:
    """Gives both threads of a scheduler a job, and one that waits."""
    for _ in range(3):
        now = time.perf_counter()
        scheduler.submit(Job(waits(gate), lambda _: None, now, now + 60, 1500.0, 1500.0))


def test_where_there_is_no_room_a_request_is_refused_before_its_body_comes(
    holder: ModelHolder,
) -> None:
    gate = threading.Event()

    async def scenario(server: Server) -> None:
        fill(server.scheduler, gate)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head, _, body = post().partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        refused = await read_reply(reader)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        gate.set()
        while not server.scheduler.idle:
            await asyncio.sleep(0.001)
        # The connection stays good: the rest of the body is read and thrown away.
        writer.write(body + post())
        assert (await read_reply(reader)).status == 200
        writer.close()

    with_server(holder, scenario, scheduler=Scheduler(cores=2, order="arrival"))


def test_the_texts_of_a_client_that_left_are_not_computed(holder: ModelHolder) -> None:
    gate = threading.Event()
    large = orjson.dumps({"texts": ["a warm funny film " * 40] * 64})

    async def scenario(server: Server) -> None:
        now = time.perf_counter()
        for _ in range(2):
            job = Job(waits(gate), lambda _: None, now, now + 60, 1.0, 1.0)
            server.scheduler.submit(job)
        writers = []
        for target in ("/predict", "/predict?a"):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(post(large, target=target))
            writers.append(writer)
        while server.scheduler.waiting < 2:
            await asyncio.sleep(0.001)
        for writer in writers:
            writer.close()
        while server.scheduler.waiting:
            await asyncio.sleep(0.001)
        gate.set()
        while not server.scheduler.idle:
            await asyncio.sleep(0.001)
        assert server.scheduler.counts.left == 2
        assert server.scheduler.counts.texts == 0

    with_server(holder, scenario, scheduler=Scheduler(cores=2))


def test_silent_and_slow_connections_are_closed_and_a_slow_body_is_told_why(
    holder: ModelHolder,
) -> None:
    now = [0.0]

    async def scenario(server: Server) -> None:
        server.limits._clock = lambda: now[0]
        opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        head, _, body = post().partition(b"\r\n\r\n")
        opened[1][1].write(head[:20])
        opened[2][1].write(head + b"\r\n\r\n" + body[:5])
        await asyncio.sleep(0.1)
        now[0] = 1000.0
        server.limits.look()
        assert await opened[0][0].read() == b""
        assert await opened[1][0].read() == b""
        late = await read_reply(opened[2][0])
        assert (late.status, late.headers["connection"]) == (408, "close")
        assert await opened[2][0].read() == b""
        for _, writer in opened:
            writer.close()

    with_server(holder, scenario)


def test_over_the_cap_a_new_connection_takes_the_place_of_the_one_idle_longest(
    holder: ModelHolder,
) -> None:
    async def scenario(server: Server) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(4)]
        await asyncio.sleep(0.05)
        (answer,) = await server.ask(post())
        assert answer.status == 200
        assert await silent[0][0].read() == b""
        await asyncio.sleep(0.05)
        assert len(server.server.server_state.connections) <= 4
        for _, writer in silent:
            writer.close()

    with_server(holder, scenario, most=4)


def test_a_server_that_ends_answers_what_runs_and_closes_the_connection(
    holder: ModelHolder,
) -> None:
    gate = threading.Event()

    async def scenario(server: Server) -> None:
        now = time.perf_counter()
        for _ in range(2):
            job = Job(waits(gate), lambda _: None, now, now + 60, 1.0, 1.0)
            server.scheduler.submit(job)
        asked = asyncio.create_task(server.ask(post()))
        while not server.scheduler.waiting:
            await asyncio.sleep(0.001)
        server.server.should_exit = True
        await asyncio.sleep(0.3)
        gate.set()
        (answer,) = await asked
        assert (answer.status, answer.headers["connection"]) == (200, "close")

    with_server(holder, scenario, scheduler=Scheduler(cores=2))


def test_what_is_still_computed_when_the_grace_is_over_gets_a_reason(holder: ModelHolder) -> None:
    gate = threading.Event()

    async def scenario(server: Server) -> None:
        server.server._grace = 0.2
        now = time.perf_counter()
        for _ in range(2):
            job = Job(waits(gate), lambda _: None, now, now + 60, 1.0, 1.0)
            server.scheduler.submit(job)
        asked = asyncio.create_task(server.ask(post()))
        while not server.scheduler.waiting:
            await asyncio.sleep(0.001)
        server.server.should_exit = True
        (answer,) = await asked
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert "still running" in answer.body["error"]["got"]
        gate.set()

    with_server(holder, scenario, scheduler=Scheduler(cores=2))
