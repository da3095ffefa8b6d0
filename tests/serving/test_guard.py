"""Who may ask what: the Host header, and the token that every route but a bare health asks for."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from pipeline.serving.guard import FREE
from pipeline.serving.hot_swap import ModelHolder
from tests.support.server import client_of, holder_of, run_server
from tests.support.tiny_bundle import make_tiny_bundle

TOKEN = "a-secret-of-enough-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


@pytest.fixture(name="client")
def open_client(holder: ModelHolder) -> Iterator[TestClient]:
    with client_of(holder) as client:
        yield client


@pytest.fixture(name="guarded")
def open_guarded(holder: ModelHolder) -> Iterator[TestClient]:
    with client_of(holder, token=TOKEN, loopback_only=False) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil",
        "",
        "127.0.0.1.evil",
        "192.0.2.1",
        "[::2]",
    ],
)
def test_a_foreign_host_name_is_refused_on_loopback(client: TestClient, host: str) -> None:
    assert client.get("/model", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:1", "localhost.", "127.0.0.1:9", "127.0.0.2", "127.8.9.10:80"),
        *("[::1]", "[::1]:80", "[::ffff:127.0.0.1]:80"),
    ],
)
def test_every_name_and_address_of_the_loopback_passes_with_any_port(
    client: TestClient, host: str
) -> None:
    assert client.get("/health/live", headers={"host": host}).status_code == 200


def routes_of(client: TestClient) -> list[tuple[str, str]]:
    """Every route of the application, and a method that it takes."""
    found = []
    for route in client.app.routes:  # type: ignore[attr-defined]
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/app.js"))
        else:
            assert isinstance(route, Route)
            found.append((sorted(route.methods or {"GET"})[0], route.path))
    return found


def test_every_route_but_a_bare_health_asks_for_the_token(guarded: TestClient) -> None:
    routes = routes_of(guarded)
    assert len(routes) > 8
    for method, path in [
        *routes,
        ("GET", "/nowhere"),
        ("GET", "/health/live/"),
        ("GET", "//health/live"),
    ]:
        status = guarded.request(method, path).status_code
        assert status == (200 if path in FREE else 401), path
        assert guarded.request(method, path, headers=BEARER).status_code != 401


def test_a_bare_readiness_tells_neither_model_nor_path(guarded: TestClient, tmp_path: Path) -> None:
    assert guarded.get("/health/ready").json() == {"status": "ready"}
    assert "hash" in guarded.get("/health/ready", headers=BEARER).json()
    empty = ModelHolder()
    with pytest.raises(Exception, match="manifest"):
        empty.load(tmp_path)
    with client_of(empty, token=TOKEN) as client:
        bare, full = client.get("/health/ready"), client.get("/health/ready", headers=BEARER)
    assert (bare.status_code, bare.json()) == (503, {"status": "waiting"})
    assert str(tmp_path) in full.text


@pytest.mark.parametrize(
    "wrong",
    [
        "Bearer wrong",
        TOKEN,
        f"Basic {TOKEN}",
        "",
        f"Bearer {TOKEN}x",
        "Bearer ",
        "Basic %%%",
        "Basic é",
    ],
)
def test_another_token_is_refused(guarded: TestClient, wrong: str) -> None:
    headers = {b"authorization": wrong.encode()}
    answer = guarded.post("/predict", json={"text": "good"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_browser_asks_for_the_token_as_a_password_and_gets_the_page(guarded: TestClient) -> None:
    asked = guarded.get("/")
    assert asked.headers["www-authenticate"].startswith("Basic ")
    encoded = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
    given = {"authorization": f"Basic {encoded}"}
    for path in ("/", "/static/app.js", "/model"):
        assert guarded.get(path, headers=given).status_code == 200
    assert guarded.post("/predict", json={"text": "good"}, headers=given).status_code == 200


def test_http_1_0_without_a_host_header_is_answered(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle")) as server:
        address = urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as sent:
            sent.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
            assert sent.makefile("rb").readline().split()[1] == b"200"


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost"])
def test_the_address_that_the_server_listens_on_answers(tmp_path: Path, host: str) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle"), "--host", host) as server:
        address = urlsplit(server.url)
        with socket.create_connection((host, int(address.port or 0)), 10) as sent:
            sent.sendall(f"GET /health/live HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            assert sent.makefile("rb").readline().split()[1] == b"200"
