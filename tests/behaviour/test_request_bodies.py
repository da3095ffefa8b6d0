"""Bodies as real clients send them: compressed, with a mark, in another encoding, in pieces."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.server import RunningServer, run_server
from tests.support.tiny_bundle import make_tiny_bundle

BODY = json.dumps({"text": "a warm funny film"}).encode()
JSON = {"content-type": "application/json"}
GZIP = JSON | {"content-encoding": "gzip"}


@pytest.fixture(name="server", scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("bodies")
    make_tiny_bundle(folder / "bundle")
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        yield server


def send(server: RunningServer, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """The answer to a body, after which the plain one must still be answered."""
    answer = httpx.post(f"{server.url}predict", content=body, headers=headers, timeout=10)
    plain = httpx.post(f"{server.url}predict", content=BODY, headers=JSON, timeout=10)
    assert plain.status_code == 200
    return answer


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, JSON),
        (gzip.compress(BODY, mtime=0), GZIP),
        (gzip.compress(BODY, mtime=0), JSON | {"content-encoding": "X-GZIP"}),
        (zlib.compress(BODY), JSON | {"content-encoding": "deflate"}),
        (BODY, JSON | {"content-encoding": "identity"}),
        (b"\xef\xbb\xbf" + BODY, JSON),
        (gzip.compress(b"\xef\xbb\xbf" + BODY, mtime=0), GZIP),
        (BODY, {"content-type": 'application/json; charset="UTF-8"'}),
        (b'{"text": "dull", "text": "a warm funny film"}', JSON),
        (
            gzip.compress(json.dumps({"text": "a warm funny film " * 40_000}).encode(), mtime=0),
            GZIP,
        ),
    ],
    ids=[
        "plain",
        "gzip",
        "x-gzip",
        "deflate",
        "identity",
        "mark",
        "both",
        "charset",
        "key twice",
        "large",
    ],
)
def test_bodies_that_hold_the_same_text_get_the_same_answer(
    server: RunningServer, body: bytes, headers: dict[str, str]
) -> None:
    answer = send(server, body, headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] == "positive"


@pytest.mark.parametrize(
    ("body", "headers", "status", "named"),
    [
        (BODY, JSON | {"content-encoding": "zstd"}, 415, "Content-Encoding: zstd"),
        (BODY, JSON | {"content-encoding": "gzip, gzip"}, 415, "Content-Encoding"),
        (BODY, GZIP, 400, "gzip"),
        (gzip.compress(BODY, mtime=0)[:-5], GZIP, 400, "gzip"),
        (gzip.compress(BODY, mtime=0) + b"more", GZIP, 400, "gzip"),
        (gzip.compress(b" " * 30_000_000, mtime=0), GZIP, 413, "after gzip"),
        (BODY.decode().encode("utf-16"), JSON, 400, "UTF-8"),
        (BODY.decode().encode("utf-16-le"), JSON, 400, "UTF-8"),
        (BODY.decode().encode("utf-16"), {"content-type": "application/json; charset=utf-16"}, 415, "utf-16"),
        ('{"text": "연기가"}'.encode("cp949"), JSON, 400, "UTF-8"),
        ('{"text": "연기가"}'.encode("cp949"), {"content-type": "application/json;charset=euc-kr"}, 415, "euc-kr"),
        (BODY, {"content-type": "application/vnd.api+json"}, 415, "vnd.api"),
        (b'{"inputs": ["a"]}', JSON, 422, "inputs"),
        (b'{"instances": ["a"]}', JSON, 422, "instances"),
    ],
    ids=[
        *("zstd", "gzip twice", "not gzip", "cut gzip", "more after gzip", "a bomb", "utf-16"),
        *("utf-16 without a mark", "utf-16 by name", "cp949", "cp949 by name", "vendor", "inputs"),
        "instances",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(
    server: RunningServer, body: bytes, headers: dict[str, str], status: int, named: str
) -> None:
    answer = send(server, body, headers)
    error = answer.json()["error"]
    assert (answer.status_code, named in str(error)) == (status, True), answer.text
    assert error.keys() == {"got", "expected", "next_step"}


def test_pieces_are_put_together(server: RunningServer) -> None:
    pieces = (BODY[at : at + 5] for at in range(0, len(BODY), 5))
    answer = httpx.post(f"{server.url}predict", content=pieces, headers=JSON)
    assert answer.status_code == 200


def test_a_client_that_waits_to_send_too_much_is_refused_at_once_and_cleanly(
    server: RunningServer,
) -> None:
    address = urlsplit(server.url)
    head = (
        f"POST /predict HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as sent:
        sent.sendall(head.encode())
        answer = sent.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer
    assert b"Exception" not in server.log.read_bytes()


TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a warm funny film"]}
INFER = json.dumps({"inputs": [TENSOR]}).encode()
PATH = "v2/models/tiny-sentiment/infer"


@pytest.mark.parametrize(
    ("body", "headers", "status", "named"),
    [
        (INFER, JSON, 200, "positive"),
        (INFER, {}, 200, "positive"),
        (gzip.compress(INFER, mtime=0), GZIP, 200, "positive"),
        (zlib.compress(INFER), JSON | {"content-encoding": "deflate"}, 200, "positive"),
        (b"\xef\xbb\xbf" + INFER, JSON, 200, "positive"),
        (INFER.decode().encode("utf-16"), JSON, 400, "UTF-8"),
        (INFER, JSON | {"content-encoding": "zstd"}, 415, "Content-Encoding: zstd"),
        (INFER, {"content-type": "application/json; charset=utf-16"}, 415, "utf-16"),
        (INFER, {"content-type": "text/plain"}, 415, "text/plain"),
        (gzip.compress(b" " * 30_000_000, mtime=0), GZIP, 413, "after gzip"),
        (BODY, JSON, 422, "inputs"),
    ],
    ids=[
        *(
            "plain",
            "untyped",
            "gzip",
            "deflate",
            "mark",
            "utf-16",
            "zstd",
            "utf-16 by name",
            "text",
        ),
        *("a bomb", "our own form"),
    ],
)
def test_the_open_protocol_takes_and_refuses_the_same_bodies(
    server: RunningServer, body: bytes, headers: dict[str, str], status: int, named: str
) -> None:
    answer = httpx.post(f"{server.url}{PATH}", content=body, headers=headers, timeout=10)
    assert (answer.status_code, named in answer.text) == (status, True), answer.text
    assert status == 200 or isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(("path", "body"), [("predict", BODY), (PATH, INFER)], ids=["own", "open"])
def test_old_clients_and_other_spellings_get_an_answer_or_a_reason(
    server: RunningServer, path: str, body: bytes
) -> None:
    address = urlsplit(server.url)
    head = f"POST /{path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as sent:
        sent.sendall(head.encode() + body)
        assert sent.makefile("rb").readline().split()[1] == b"200"
    pieces = (body[at : at + 5] for at in range(0, len(body), 5))
    assert httpx.post(f"{server.url}{path}", content=pieces, headers=JSON).status_code == 200
    slash = httpx.post(f"{server.url}{path}/", content=body, headers=JSON)
    assert (slash.status_code, f"/{path}/" in slash.text) == (404, True)
    assert httpx.head(f"{server.url}{path}").status_code == 405
