"""What `/metrics` says, as Prometheus's own parser reads it."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.prometheus_text import labels_of, metrics_text
from pipeline.serving.tally import Tally
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(text: str) -> Samples:
    """(name, labels) → value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_buckets_are_cumulative_and_their_last_is_the_count() -> None:
    tally = Tally(("/predict",))
    for seconds in (0.0001, 0.0004, 5.0):
        tally.answered("/predict", 200, seconds)
    found = samples_of(metrics_text(tally, ready=True))
    name, route = "modelyard_request_duration_seconds", ("route", "/predict")
    buckets = {
        dict(labels)["le"]: value for (of, labels), value in found.items() if of == f"{name}_bucket"
    }
    assert [buckets[end] for end in ("0.0002", "0.0005", "2.5", "10", "+Inf")] == [1, 2, 2, 3, 3]
    assert [*buckets.values()] == sorted(buckets.values())
    assert found[(f"{name}_count", (route,))] == 3
    assert found[(f"{name}_sum", (route,))] == pytest.approx(5.0005)


def test_a_server_counts_what_it_answers(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle")) as client:
        client.post("/predict", json={"texts": ["good", "bad"]})
        client.post("/predict", json={})
        client.get("/nowhere")
        client.get("/static/app.js")
        answer = client.get("/metrics")
    found = samples_of(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    requests = {
        (dict(labels)["route"], dict(labels)["status"]): value
        for (name, labels), value in found.items()
        if name == "modelyard_requests_total"
    }
    assert requests == {
        ("/predict", "200"): 1,
        ("/predict", "422"): 1,
        ("other", "404"): 1,
        ("/static", "200"): 1,
    }
    assert found[("modelyard_texts_computed_total", ())] == 2
    assert found[("modelyard_ready", ())] == 1
    (info,) = [dict(labels) for (name, labels) in found if name == "modelyard_model_info"]
    assert (info["product"], info["worker"]) == ("tiny-sentiment", "0")
    assert info["hash"].startswith(info["version"])
    assert found[("process_resident_memory_bytes", (("worker", "0"),))] > 1e6


def test_a_refusal_is_counted_by_its_reason() -> None:
    with client_of(ModelHolder()) as client:
        client.post("/predict", json={"text": "good"})
        found = samples_of(client.get("/metrics").text)
    assert found[("modelyard_refusals_total", (("reason", "model"),))] == 1
    assert found[("modelyard_ready", ())] == 0


def test_labels_are_escaped_as_the_format_wants() -> None:
    text = 'a "b" \\ c\nd'
    found = samples_of(f"x{labels_of(name=text)} 1\n")
    assert [*found] == [("x", (("name", text),))]
