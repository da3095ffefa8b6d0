"""measure gives every variant a time on this machine, and every ONNX variant a memory figure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.planning.resolution import write_build_file
from pipeline import measure
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError, BusyError
from pipeline.core.failure import load_failure
from pipeline.core.files import read_json
from pipeline.core.machine_lock import FOLDER_VARIABLE
from pipeline.core.params import Params
from pipeline.core.variants import variants_in
from pipeline.metrics.machine_load import processors
from pipeline.runtime.footprint import measure_footprint
from tests.support.repository import REPOSITORY
from tests.support.spinning import spinning
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
    assert found["arithmetic_ms"] > 0
    assert [entry["name"] for entry in found["variants"]] == [v.name for v in variants_in(paths)]
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
    assert set(metrics["latency_p95_ms"]) == {v.name for v in variants_in(paths)}


def test_a_model_that_does_not_load_is_named(tmp_path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="a fresh process could not use"):
        measure_footprint(
            tmp_path / "model.onnx", tmp_path / "tokenizer.json", task=tiny_task(), threads=1
        )


def impatient(params: Params) -> Params:
    """The parameters of a measurement that asks for a quiet machine and waits a second for it."""
    strict = {"max_other_load": 0.125, "patience_seconds": 1.0}
    return params.model_copy(update={"measure": params.measure.model_copy(update=strict)})


def test_beside_spinning_processes_the_machine_is_busy_and_nothing_is_written(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    params, paths = compressed_workspace(tmp_path_factory)
    with spinning(len(processors())), pytest.raises(BusyError, match="the machine is busy"):
        measure.run(impatient(params), at(paths, "measure"))
    assert [*paths.output("measure").iterdir()] == []


@pytest.mark.soak
def test_beside_two_spinning_processes_ten_of_ten_are_busy_and_dvc_keeps_nothing(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    params, paths = compressed_workspace(tmp_path_factory)
    write_build_file(paths.root, impatient(params))
    for file in ("dvc.yaml", "code.lock.json"):
        shutil.copy(REPOSITORY / file, paths.root)
    environment = chosen_environment(os.environ) | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "DVC_SITE_CACHE_DIR": str(tmp_path),
        FOLDER_VARIABLE: str(tmp_path),
    }

    def dvc(*arguments: str) -> int:
        command = [sys.executable, "-m", "dvc", *arguments]
        return subprocess.run(command, cwd=paths.root, env=environment, check=False).returncode

    assert dvc("init", "--no-scm", "--quiet") == 0
    with spinning(2):
        for _ in range(10):
            assert dvc("repro", "--single-item", "measure") != 0
            failure = load_failure(paths.root, "measure")
            assert failure is not None
            assert failure.kind == "BusyError"
            shutil.rmtree(paths.root / ".modelyard" / "failures")
    assert not paths.dvc_lock.exists()
    assert not (paths.root / ".dvc" / "cache" / "runs").exists()
    assert not (paths.output("measure") / "latency.json").exists()
