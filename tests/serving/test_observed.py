"""What every answer tells of itself, and that a failure is told without what it was about."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from pipeline.serving.answer_watch import Watch
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.notes import notes_of
from pipeline.serving.observed import Failures, Observed
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.tally import Tally
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle

TOKEN = "a-secret-of-enough-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(name="folder", scope="module")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return folder


@pytest.fixture(name="client", scope="module")
def open_client(folder: Path) -> Iterator[TestClient]:
    with client_of(holder_of(folder)) as client:
        yield client


ASKED = (
    *(
        "GET /",
        "GET /static/app.js",
        "GET /model",
        "GET /health/live",
        "GET /nowhere",
        "PUT /predict",
    ),
    *("POST /predict", "POST /language/cost", "GET /v2", "GET /metrics", "GET /openapi.json"),
)


@pytest.mark.parametrize("asked", ASKED)
def test_every_answer_names_model_and_bundle_and_its_time(client: TestClient, asked: str) -> None:
    headers = client.request(*asked.split()).headers
    bundle = client.get("/model").json()["hash"]
    assert (headers["model-version"], headers["bundle-hash"]) == (bundle[:12], bundle)
    assert re.fullmatch(r"total;dur=\d+\.\d{3}", headers["server-timing"].split(", ")[-1])


def test_an_answer_of_the_model_tells_the_time_in_the_queue_and_in_the_model(
    client: TestClient,
) -> None:
    for path, body in (
        ("/predict", {"text": "good"}),
        (
            "/v2/models/tiny-sentiment/infer",
            {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}]},
        ),
    ):
        timing = client.post(path, json=body).headers["server-timing"]
        parts = dict(re.findall(r"(\w+);dur=([\d.]+)", timing))
        assert [*parts] == ["queue", "tokens", "model", "total"]
        assert 0 < float(parts["model"]) < float(parts["total"])


def test_without_the_token_nothing_is_said_of_the_model(folder: Path) -> None:
    with client_of(holder_of(folder), token=TOKEN) as client:
        for path in ("/health/ready", "/predict", "/v2/health/live"):
            headers = client.get(path).headers
            assert "server-timing" in headers
            assert not {"model-version", "bundle-hash"} & {*headers}
        assert "bundle-hash" in client.get("/health/ready", headers=BEARER).headers


def test_the_headers_name_the_model_that_answered_though_another_serves_by_then(
    folder: Path, tmp_path: Path
) -> None:
    make_tiny_bundle(tmp_path / "other", seed=1)
    holder = holder_of(folder)
    assert holder.current is not None
    first = holder.current
    headers: dict[bytes, bytes] = {}

    async def swaps_meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        scope["modelyard.trusted"] = True
        notes_of(scope).model = holder.current
        holder.load(tmp_path / "other")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    run_once(Observed(swaps_meanwhile, watch=watch_of(holder)[0]), headers)
    assert holder.current.bundle.hash != first.bundle.hash
    assert headers[b"bundle-hash"].decode() == first.bundle.hash


def watch_of(holder: ModelHolder) -> tuple[Watch, Tally]:
    """A watch without routes and log, and its counters."""
    tally, scheduler = Tally(()), Scheduler(cores=1)
    watch = Watch(holder=holder, scheduler=scheduler, tally=tally, routes={}, access_log=None)
    return watch, tally


def run_once(app: Observed, headers: dict[bytes, bytes]) -> bytes:
    """Asks an application for `/`; returns the body, and fills in the headers."""
    body = b""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message) -> None:
        nonlocal body
        headers.update(message.get("headers", []))
        body += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(app(scope, receive, send))
    return body


def test_a_failure_is_a_500_with_the_usual_shape_and_its_message_reaches_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("about a private text")

    failing = Failures(fails)
    observed = Observed(failing, watch=watch_of(ModelHolder())[0])
    body = run_once(observed, {})
    assert b'"next_step":"see the server\'s log"' in body
    assert "RuntimeError in " in caplog.text
    assert "test_observed.py" in caplog.text
    assert "private" not in caplog.text
    assert b"private" not in body


def test_a_client_that_left_before_its_answer_is_counted_as_499() -> None:
    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    watch, tally = watch_of(ModelHolder())
    with pytest.raises(asyncio.CancelledError):
        run_once(Observed(leaves, watch=watch), {})
    assert tally.totals().requests == {("other", "499"): 1}
