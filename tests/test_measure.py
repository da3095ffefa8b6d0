"""measure gives every variant a time on this machine, and every ONNX variant a memory figure."""

import pytest

from pipeline import measure
from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json
from pipeline.core.variants import all_variants
from pipeline.runtime.footprint import measure_footprint
from tests.support.tiny_bundle import tiny_task
from tests.support.tiny_workspace import at, compressed_workspace


def test_every_variant_is_timed_and_every_onnx_variant_weighed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    params, paths = compressed_workspace(tmp_path_factory)
    # A product may name no examples: validation texts are asked.
    product = params.product.model_copy(update={"examples": []})
    params = params.model_copy(update={"product": product})
    metrics = measure.run(params, at(paths, "measure"))
    found = read_json(paths.read("measure", "latency.json"))
    assert found["machine"]["cores"] == 2
    assert [entry["name"] for entry in found["variants"]] == [v.name for v in all_variants()]
    for entry in found["variants"]:
        latency = entry["latency_ms"]
        assert 0 < latency["p50"] <= latency["p95"]
        assert (latency["batch"], latency["tokens"], latency["threads"]) == (1, 8, 1)
        assert entry["throughput_per_s"] > 0
        if entry["name"].endswith("-torch"):
            assert entry["memory_mb"] is None
        else:
            # A process with Python and ONNX Runtime; torch alone would take more than the upper bound.
            assert 20 < entry["memory_mb"] < 200
            assert 0 < entry["memory_added_mb"] < entry["memory_mb"]
    assert set(metrics["latency_p95_ms"]) == {v.name for v in all_variants()}


def test_a_model_that_does_not_load_is_named(tmp_path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="a fresh process could not use"):
        measure_footprint(
            tmp_path / "model.onnx", tmp_path / "tokenizer.json", task=tiny_task(), threads=1
        )
