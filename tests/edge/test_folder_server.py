"""The server sends a folder's files, compressed where it may, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.edge.browser_folder import HEADERS
from pipeline.edge.folder_server import content_type, make_server, running, served_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    found = tmp_path / "folder"
    found.mkdir()
    (found / "index.html").write_text("page")
    (found / "engine.js").write_text("script")
    (found / "engine.js.br").write_bytes(b"br")
    (found / "engine.js.gz").write_bytes(b"gz")
    return found


@pytest.fixture
def client(folder: Path) -> Iterator[httpx.Client]:
    with (
        running(make_server(folder, port=0, headers=HEADERS)) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"br"),
        ("gzip;q=1.0", "gzip", b"gz"),
        ("identity", None, b"script"),
        ("", None, b"script"),
    ],
)
def test_a_file_goes_as_small_as_the_browser_takes_it(
    folder: Path, accepted: str, encoding: str | None, body: bytes
) -> None:
    found = served_file(folder, "/engine.js", accepted=accepted)
    assert found is not None
    assert (found.headers.get("content-encoding"), found.body) == (encoding, body)
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"
    assert found.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/nothing.js", "/%00", "//etc/passwd"]
)
def test_what_is_not_in_the_folder_is_not_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get("/").text == "page"


def test_a_file_that_the_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    client.headers["accept-encoding"] = "identity"
    etag = client.get("/engine.js?again").headers["etag"]
    answer = client.get("/engine.js", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_every_answer_has_the_headers_that_protect_the_page(client: httpx.Client) -> None:
    for answer in (client.get("/"), client.head("/engine.js"), client.get("/nothing")):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "'wasm-unsafe-eval'" in HEADERS["content-security-policy"]
    assert client.head("/").content == b""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.wasm", "application/wasm"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("model.json", "application/json"),
        ("model.onnx", "application/octet-stream"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_has_the_type_that_a_browser_asks_for(name: str, kind: str) -> None:
    assert content_type(name) == kind
