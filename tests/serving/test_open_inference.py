"""The routes of the Open Inference Protocol v2, in process."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.open_inference import HEADER_LENGTH, accepted_coding
from pipeline.serving.tensor_requests import bytes_of_texts
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

MODEL = "/v2/models/tiny-sentiment"
TOKEN = "a-secret-of-enough-length"


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


@pytest.fixture(name="served")
def get_served(holder: ModelHolder) -> ServedModel:
    assert holder.current is not None
    return holder.current


@pytest.fixture(name="client", scope="module")
def open_client(holder: ModelHolder) -> Iterator[TestClient]:
    with client_of(holder) as client:
        yield client


def tensor(*texts: str, name: str = "text") -> dict[str, Any]:
    return {"name": name, "shape": [len(texts)], "datatype": "BYTES", "data": [*texts]}


def outputs_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def binary_body(*texts: str) -> tuple[bytes, dict[str, str]]:
    """A body as Triton's client sends it at its defaults, and its headers."""
    data = bytes_of_texts(texts)
    described = tensor(*texts) | {"parameters": {"binary_data_size": len(data)}}
    del described["data"]
    head = orjson.dumps({"inputs": [described], "parameters": {"binary_data_output": True}})
    return head + data, {HEADER_LENGTH: str(len(head))}


def test_both_protocols_give_the_same_answer(client: TestClient) -> None:
    texts = ["a warm funny film", "the awful film"]
    found = outputs_of(client.post(f"{MODEL}/infer", json={"inputs": [tensor(*texts)]}))
    ours = client.post("/predict", json={"texts": texts}).json()["predictions"]
    assert found["label"] == [answer["label"] for answer in ours]
    assert found["probability"] == [answer["probability"] for answer in ours]


def test_pairs_come_as_two_tensors(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(pairs=True))
    with client_of(holder_of(tmp_path / "bundle")) as client:
        body = {"inputs": [tensor("the film"), tensor("warm funny", name="second")]}
        found = outputs_of(client.post(f"{MODEL}/infer", json=body))
        one = client.post(f"{MODEL}/infer", json={"inputs": [tensor("the film")]})
    assert found["label"] == ["positive"]
    assert (one.status_code, "'second'" in one.json()["error"]) == (422, True)


def test_server_and_model_describe_themselves(client: TestClient, served: ServedModel) -> None:
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    model = client.get(MODEL).json()
    assert (model["name"], model["versions"]) == ("tiny-sentiment", [served.bundle.hash[:12]])
    assert model["parameters"]["labels"] == ["negative", "positive"]
    assert client.get(f"{MODEL}/ready").json() == {"name": "tiny-sentiment", "ready": True}


def test_a_version_is_that_of_the_metadata_or_the_whole_hash_and_no_other(
    client: TestClient, served: ServedModel
) -> None:
    (version,) = client.get(MODEL).json()["versions"]
    for named in (version, served.bundle.hash):
        assert client.get(f"{MODEL}/versions/{named}").status_code == 200
        body = {"inputs": [tensor("good")]}
        assert client.post(f"{MODEL}/versions/{named}/infer", json=body).status_code == 200
    for path in (f"{MODEL}/versions/1", "/v2/models/other", "/v2/models/other/ready"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert f"expected: tiny-sentiment, version {version}" in answer.json()["error"]


def test_health_is_true_or_a_503_and_needs_no_token() -> None:
    with client_of(ModelHolder(), token=TOKEN) as client:
        assert client.get("/v2/health/live").json() == {"live": True}
        ready = client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        assert client.get(f"{MODEL}/ready").status_code == 401


def test_a_body_as_tritons_client_sends_it_needs_no_content_type(client: TestClient) -> None:
    body, headers = binary_body("good film", "bad film")
    for more in ({}, {"content-type": "application/octet-stream"}):
        answer = client.post(f"{MODEL}/infer", content=body, headers=headers | more)
        length = int(answer.headers[HEADER_LENGTH])
        described = orjson.loads(answer.content[:length])["outputs"]
        sizes = [output["parameters"]["binary_data_size"] for output in described]
        assert len(answer.content) == length + sum(sizes)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert b"positive" in answer.content[length:]


def test_a_page_of_another_origin_cannot_leave_the_content_type_out(client: TestClient) -> None:
    body = orjson.dumps({"inputs": [tensor("good")]})
    assert client.post(f"{MODEL}/infer", content=body).status_code == 200
    answer = client.post(f"{MODEL}/infer", content=body, headers={"origin": "http://evil.example"})
    assert answer.status_code == 415


Pack = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["gzip", "deflate"],
)
def test_requests_and_large_answers_are_compressed_as_the_headers_say(
    client: TestClient, coding: str, pack: Pack
) -> None:
    body, headers = binary_body(*["good film"] * 60)
    headers |= {"content-encoding": coding, "accept-encoding": coding}
    with client.stream("POST", f"{MODEL}/infer", content=pack(body), headers=headers) as answer:
        packed = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["vary"] == "accept-encoding"
        length = int(answer.headers[HEADER_LENGTH])
    unpacked = zlib.decompress(packed, zlib.MAX_WBITS | 32)
    assert len(packed) < len(unpacked)
    assert orjson.loads(unpacked[:length])["model_name"] == "tiny-sentiment"


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        *(("", None), ("identity", None), ("br", None), ("gzip", "gzip"), ("deflate", "deflate")),
        *(("gzip;q=0", None), ("gzip; q=0.0, deflate", "deflate"), ("br, GZIP;q=0.5", "gzip")),
    ],
)
def test_an_answer_is_compressed_only_as_its_caller_takes_it(
    header: str, coding: str | None
) -> None:
    assert accepted_coding(header) == coding


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "named"),
    [
        ("POST", "/infer", {"json": {}}, 422, "inputs"),
        ("POST", "/infer", {"json": []}, 422, "no object"),
        ("POST", "/infer", {"content": b"{"}, 400, "not JSON"),
        ("POST", "/infer", {"content": b"{}", "headers": {HEADER_LENGTH: "3"}}, 400, "of 2 bytes"),
        ("POST", "/infer", {"content": b"{}", "headers": {HEADER_LENGTH: "x"}}, 400, HEADER_LENGTH.title()),
        ("POST", "/infer", {"content": b"a", "headers": {"content-type": "text/plain"}}, 415, "text/plain"),
        ("POST", "/infer", {"content": b"a", "headers": {"content-encoding": "br"}}, 415, "br"),
        ("POST", "/infer", {"json": {"inputs": [tensor("x" * 1_000_001)]}}, 413, "bytes"),
        ("GET", "/infer", {}, 405, "GET"),
        ("POST", "/infer/", {}, 404, "/infer/"),
        ("GET", "/nothing", {}, 404, "nothing"),
    ],
)  # fmt: skip
def test_an_error_is_one_text_that_says_what_came_what_was_expected_and_what_to_do(
    client: TestClient, method: str, path: str, options: dict[str, Any], status: int, named: str
) -> None:
    answer = client.request(method, f"{MODEL}{path}", **options)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error.startswith("got: ")
    assert "; expected: " in error
    assert "; next: " in error
    assert named in error


def test_refusals_before_the_routes_have_the_same_form(holder: ModelHolder) -> None:
    with client_of(holder, token=TOKEN) as client:
        assert client.get("/v2").json()["error"].startswith("got: no valid token")
        foreign = client.get("/v2", headers={"host": "evil.example"})
        assert (foreign.status_code, type(foreign.json()["error"])) == (421, str)
        assert isinstance(client.get("/v2x").json()["error"], dict)


def test_nothing_of_a_text_stands_in_an_error(client: TestClient) -> None:
    body = {"inputs": [tensor("my secret", "\u200b")]}
    answer = client.post(f"{MODEL}/infer", json=body)
    assert answer.status_code == 422
    assert "secret" not in answer.text
