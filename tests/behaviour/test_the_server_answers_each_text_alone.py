"""The server's batch path: texts of one request never run together."""

from pathlib import Path

from starlette.testclient import TestClient

from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.scheduler import Scheduler
from tests.support.tiny_bundle import depend_on_batch, make_tiny_bundle

TEXTS = ["a warm funny film", "awful", "the film", "the dull film " * 10]


def test_texts_of_one_request_are_answered_bit_for_bit_as_each_alone_though_the_graph_mixes_batches(
    tmp_path: Path,
) -> None:
    make_tiny_bundle(tmp_path / "bundle", change=depend_on_batch)
    holder = ModelHolder()
    holder.load(tmp_path / "bundle")
    app = create_app(holder, scheduler=Scheduler(cores=1))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        together = client.post("/predict", json={"texts": TEXTS}).json()["predictions"]
        each = [client.post("/predict", json={"text": text}).json() for text in TEXTS]
    assert together == [answer["predictions"][0] for answer in each]
