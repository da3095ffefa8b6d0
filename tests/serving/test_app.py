"""The routes, in process: answers, refusals, headers."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.problem.decision import Decision
from pipeline.serving.app import STATIC, LoopErrors
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

_FILES = ("icon.svg", *sorted(path.name for path in STATIC.glob("*.js")), "style.css")
JSON = {"content-type": "application/json"}


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


@pytest.fixture(name="served")
def get_served(holder: ModelHolder) -> ServedModel:
    assert holder.current is not None
    return holder.current


@pytest.fixture(name="client")
def open_client(holder: ModelHolder) -> Iterator[TestClient]:
    with client_of(holder) as client:
        yield client


def ask(client: TestClient, **body: Any) -> list[dict[str, Any]]:
    """The predictions for a request's body."""
    predictions: list[dict[str, Any]] = client.post("/predict", json=body).json()["predictions"]
    return predictions


def test_a_text_gets_label_probabilities_and_time(client: TestClient, served: ServedModel) -> None:
    answer = client.post("/predict", json={"text": "a warm funny film"}).json()
    prediction = answer["predictions"][0]
    assert prediction["label"] == "positive"
    assert prediction["probability"] == prediction["probabilities"]["positive"]
    assert "truncated" not in prediction
    assert answer["model"] == {
        "product": "tiny-sentiment",
        "hash": served.bundle.hash,
        "variant": "student-int8",
    }
    assert answer["milliseconds"] > 0


def test_many_texts_are_answered_in_order_and_a_long_one_says_truncated(client: TestClient) -> None:
    answers = ask(client, texts=["good", "bad", "good " * 100])
    assert [answer["label"] for answer in answers] == ["positive", "negative", "positive"]
    assert [answer.get("truncated") for answer in answers] == [None, None, True]


def test_golden_requests_get_the_bundles_answers(client: TestClient, served: ServedModel) -> None:
    golden = served.bundle.description.golden
    answers = ask(client, texts=[expected.request for expected in golden])
    for prediction, expected in zip(answers, golden, strict=True):
        assert prediction["label"] == expected.answer.label
        assert prediction["probabilities"] == pytest.approx(expected.answer.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("request_", "status", "got"),
    [
        ({"json": {"text": ""}}, 422, "empty"),
        ({"json": {"text": 7}}, 422, "number"),
        ({"content": b"{", "headers": JSON}, 400, "not JSON"),
        ({"content": b"a", "headers": {"content-type": "text/plain"}}, 415, "text/plain"),
        ({"data": {"text": "a"}}, 415, "urlencoded"),
        ({"json": {"text": "x" * 1_000_001}}, 413, "bytes"),
        ({"content": [b" " * 65_536] * 160, "headers": JSON}, 413, "bytes"),
        ({"json": {"text": "good", "second": "bad"}}, 422, "reads single texts"),
    ],
)
def test_a_bad_request_gets_a_reason_and_a_next_step(
    client: TestClient, request_: dict[str, Any], status: int, got: str
) -> None:
    answer = client.post("/predict", **request_)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert got in error["got"]
    assert error.keys() == {"got", "expected", "next_step"}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("GET /nowhere", 404),
        ("GET /static/../app.py", 404),
        ("GET /static/%2e%2e/app.py", 404),
        ("GET /predict", 405),
        ("POST /model", 405),
        ("POST /predict/", 404),
        ("HEAD /predict", 405),
        ("OPTIONS /predict", 405),
    ],
)
def test_unknown_routes_are_json_errors(client: TestClient, asked: str, status: int) -> None:
    answer = client.request(*asked.split())
    assert answer.status_code == status
    if not asked.startswith("HEAD"):
        assert "/predict" in answer.json()["error"]["expected"]


def test_ready_and_predict_wait_for_a_first_model_while_live_does_not() -> None:
    with client_of(ModelHolder()) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["hash"]) == (503, None)
        predict = client.post("/predict", json={"text": "a"})
        assert (predict.status_code, predict.headers["retry-after"]) == (503, "1")


def test_ready_and_model_describe_what_serves(client: TestClient, served: ServedModel) -> None:
    ready, model = client.get("/health/ready"), client.get("/model").json()
    assert ready.status_code == 200
    assert ready.json()["hash"] == model["hash"] == served.bundle.hash
    assert ready.json()["last_error"] is None
    assert model["teacher"]["name"] == "teacher-torch"
    assert "golden" not in model
    assert "Tiny model" in client.get("/model/card").text


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/health/live", "/nowhere"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_fetches_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    files = [client.get(f"/static/{name}") for name in _FILES]
    assert all(file.status_code == 200 for file in files)
    for file in (page, *files[1:]):
        assert "http://" not in file.text
        assert "https://" not in file.text


def test_the_page_finds_its_files_and_routes_behind_a_prefix_of_a_proxy(client: TestClient) -> None:
    page = client.get("/").text
    scripts = [client.get(f"/static/{name}").text for name in _FILES if name.endswith(".js")]
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page)
    addresses += [
        found for text in scripts for found in re.findall(r"(?:fetch|call)\([\"`]([^\"`]+)", text)
    ]
    assert {"static/app.js", "model", "predict", "language/${name}"} <= {*addresses}
    assert not [address for address in addresses if address.startswith("/")]


def test_the_background_task_runs_beside_requests_and_ends_with_them(holder: ModelHolder) -> None:
    seen: list[str] = []

    async def background() -> None:
        try:
            seen.append("started")
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    with client_of(holder, background=[background]) as client:
        client.get("/health/live")
        assert seen == ["started"]
    assert seen == ["started", "ended"]


Serve = Callable[..., TestClient]


@pytest.fixture(name="serve")
def make_serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a client of a server of another tiny bundle."""
    with ExitStack() as stack:

        def serve(**options: Any) -> TestClient:
            make_tiny_bundle(tmp_path / "bundle", **options)
            return stack.enter_context(client_of(holder_of(tmp_path / "bundle")))

        yield serve


def test_several_labels_are_answered_with_the_probability_of_each(serve: Serve) -> None:
    first, second = ask(serve(task=tiny_task("multi_label")), texts=["warm funny", "the film"])
    assert first["labels"] == ["positive"]
    assert first["probabilities"].keys() == {"negative", "positive"}
    assert second["labels"] == []
    assert "label" not in first


def test_a_number_is_answered_as_a_value(serve: Serve) -> None:
    client = serve(task=tiny_task("regression"))
    (prediction,) = ask(client, text="warm funny")
    model = client.get("/model").json()
    assert prediction.keys() == {"value"}
    assert prediction["value"] > 1
    assert (model["problem"], model["labels"]) == ("regression", ["stars"])


def test_pairs_are_answered_one_or_many_and_a_single_text_is_refused(serve: Serve) -> None:
    client = serve(task=tiny_task(pairs=True))
    (one,) = ask(client, text="the film", second="warm funny")
    many = ask(client, pairs=[["the film", "awful"], ["warm film", "the film"]])
    refused = client.post("/predict", json={"text": "good"})
    assert one["label"] == "positive"
    assert [answer["label"] for answer in many] == ["negative", "positive"]
    assert refused.status_code == 422
    assert "reads pairs" in refused.json()["error"]["got"]
    assert "second" in refused.json()["error"]["next_step"]


def test_a_first_text_that_fills_the_window_is_refused_without_being_repeated(serve: Serve) -> None:
    client = serve(task=tiny_task(pairs=True, window_stride=4))
    refused = client.post("/predict", json={"text": "good " * 30, "second": "bad"})
    (fits,) = ask(client, text="good", second="bad " * 30)
    assert refused.status_code == 422
    assert "first text" in refused.json()["error"]["got"]
    assert "good" not in refused.text
    assert "truncated" not in fits


def test_an_answer_that_is_not_sure_enough_is_marked(serve: Serve) -> None:
    client = serve(task=tiny_task(decision=Decision(abstain_below=0.9)))
    answers = ask(client, texts=["the film", "warm funny"])
    assert [answer.get("abstained") for answer in answers] == [True, None]


def test_a_bundle_of_format_1_is_served_as_before(serve: Serve) -> None:
    client = serve(bundle_format=1)
    model = client.get("/model").json()
    assert ask(client, text="warm funny")[0]["label"] == "positive"
    assert (model["format"], model["problem"], model["pairs"]) == (1, "classification", False)


def test_errors_of_the_event_loop_are_a_line_a_second_whatever_their_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now, loop = [0.0], asyncio.new_event_loop()
    handle = LoopErrors(clock=lambda: now[0])
    error = OSError(24, "Too many open files")
    for number in range(5000):
        now[0] = number / 1000
        handle(loop, {"message": "socket.accept() out of system resource", "exception": error})
    loop.close()
    assert len(caplog.messages) == 5
    assert "Too many open files), 1000 times" in caplog.messages[-1]
