"""The headers, counters and log of a running server, where /predict goes past the application."""

import json
from pathlib import Path

import httpx

from tests.support.server import run_server
from tests.support.tiny_bundle import make_tiny_bundle

TOKEN = "a-secret-of-enough-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}


def test_answers_and_refusals_of_every_way_are_named_counted_and_logged(tmp_path: Path) -> None:
    bundle, log = make_tiny_bundle(tmp_path / "bundle"), tmp_path / "access.log"
    options = ("--bundle", str(tmp_path / "bundle"), "--access-log", str(log))
    with (
        run_server(tmp_path, *options, environment={"MODELYARD_TOKEN": TOKEN}) as server,
        httpx.Client(base_url=server.url, headers=PARENT) as client,
    ):
        infer = "v2/models/tiny-sentiment/infer"
        answers = [
            client.post("predict", json={"texts": ["good", "bad"]}, headers=BEARER),
            client.post("predict", json={"txt": 1}, headers=BEARER),
            client.post(infer, json={"inputs": [TENSOR]}, headers=BEARER),
            client.post("predict", json={"text": "good"}),
            client.post(
                "predict", json={"text": "good"}, headers=BEARER | {"expect": "100-continue"}
            ),
        ]
        metrics = client.get("metrics", headers=BEARER).text
    assert [answer.status_code for answer in answers] == [200, 422, 200, 401, 200]
    for answer in answers:
        assert "total;dur=" in answer.headers["server-timing"]
        assert ("queue;dur=" in answer.headers["server-timing"]) == (answer.status_code == 200)
        names = [answer.headers.get(name) for name in ("model-version", "bundle-hash")]
        assert names == ([None, None] if answer.status_code == 401 else [bundle[:12], bundle])
        assert answer.headers.get_list("server-timing") == [answer.headers["server-timing"]]
    for counted in (
        'modelyard_requests_total{route="/predict",status="200"} 2\n',
        'modelyard_requests_total{route="/predict",status="422"} 1\n',
        'modelyard_requests_total{route="/predict",status="401"} 1\n',
        'modelyard_requests_total{route="/v2/models/{name}/infer",status="200"} 1\n',
        "modelyard_texts_computed_total 4\n",
    ):
        assert counted in metrics
    # That of the metrics is written once they are sent.
    lines = [json.loads(line) for line in log.read_text().splitlines()[:5]]
    assert [line["status"] for line in lines] == [200, 422, 200, 401, 200]
    assert {line["trace"] for line in lines} == {TRACE}
    assert [line["bytes"] for line in lines] == [len(answer.content) for answer in answers]
    assert [line.get("texts") for line in lines] == [2, None, 1, None, 1]
