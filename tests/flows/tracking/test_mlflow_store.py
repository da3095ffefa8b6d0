"""What MLflow shows of a stage is what the stage left, whatever its curve said on the way."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.tracking.mlflow_store import MlflowStore, read_curve
from pipeline.core.files import write_json
from pipeline.core.paths import Paths
from tests.support.repository import PARAMS, REPOSITORY


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for file in (PARAMS, REPOSITORY / "dvc.yaml", REPOSITORY / "code.lock.json"):
        shutil.copy(file, tmp_path / file.name)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_kept_models_figure_is_the_latest_and_the_curve_stays(workspace: Path) -> None:
    """Of two seeds .7 and .8 the mean has .75."""
    paths = Paths(workspace, "finetune")
    curve = paths.out / "curve.csv"
    curve.parent.mkdir(parents=True)
    store = MlflowStore(workspace, workspace=workspace, experiment="products")
    store.start_build("build")
    run = store.start_stage("finetune")
    for quality in (0.7, 0.8):
        with curve.open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [("step", "loss", "validation_quality"), (5, 0.6, ""), (10, 0.5, quality)]
            )
        store.log_rows(run, read_curve(curve))
    write_json(paths.out / "metrics.json", {"validation_quality": 0.75, "kept": "mean"})
    store.finish_stage(run, "finetune", state="ran", seconds=3.0, outputs={})
    client = MlflowClient(Paths(workspace).tracking_uri)
    shown = client.get_run(run).data.metrics
    assert shown["validation_quality"] == 0.75
    assert shown["seconds"] == 3.0
    history = client.get_metric_history(run, "validation_quality")
    assert [point.value for point in history] == [0.7, 0.8, 0.75]
    assert [point.step for point in client.get_metric_history(run, "loss")] == [5, 10, 5, 10]


def test_a_stage_without_a_curve_tells_its_figures_too(workspace: Path) -> None:
    store = MlflowStore(workspace, workspace=workspace, experiment="products")
    store.start_build("build")
    run = store.start_stage("collect")
    paths = Paths(workspace, "collect")
    paths.out.mkdir(parents=True)
    write_json(paths.out / "metrics.json", {"labelled": 12})
    store.finish_stage(run, "collect", state="ran", seconds=1.0, outputs={})
    assert MlflowClient(Paths(workspace).tracking_uri).get_run(run).data.metrics["labelled"] == 12
