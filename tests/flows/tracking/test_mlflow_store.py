"""What MLflow shows of a stage is what the stage left, whatever its curve said on the way."""

import csv
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.planning.resolution import write_build_file
from flows.tracking.mlflow_store import MlflowStore, read_curve
from pipeline.core.files import write_json
from pipeline.core.params import parse_params
from pipeline.core.paths import Paths
from tests.support.repository import REPOSITORY, commit_all, parameter_values


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for file in (REPOSITORY / "dvc.yaml", REPOSITORY / "code.lock.json"):
        shutil.copy(file, root / file.name)
    write_build_file(root, parse_params(parameter_values()))
    commit_all(root)
    return root


@pytest.fixture(scope="module")
def store(root: Path) -> MlflowStore:
    """A store that records a build of the project."""
    store = MlflowStore(root, workspace=root, experiment="products")
    store.start_build("build")
    return store


def test_the_kept_models_figure_is_the_latest_and_the_curve_stays(
    store: MlflowStore, root: Path
) -> None:
    """Of two seeds .7 and .8 the mean has .75."""
    paths = Paths(root, "finetune")
    curve = paths.out / "curve.csv"
    curve.parent.mkdir(parents=True)
    run = store.start_stage("finetune")
    for quality in (0.7, 0.8):
        with curve.open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [("step", "loss", "validation_quality"), (5, 0.6, ""), (10, 0.5, quality)]
            )
        store.log_rows(run, read_curve(curve))
    write_json(paths.out / "metrics.json", {"validation_quality": 0.75, "kept": "mean"})
    store.finish_stage(run, "finetune", state="ran", seconds=3.0, outputs={})
    client = MlflowClient(paths.tracking_uri)
    shown = client.get_run(run).data.metrics
    assert shown["validation_quality"] == 0.75
    assert shown["seconds"] == 3.0
    history = client.get_metric_history(run, "validation_quality")
    assert [point.value for point in history] == [0.7, 0.8, 0.75]
    assert [point.step for point in client.get_metric_history(run, "loss")] == [5, 10, 5, 10]


def test_a_stage_without_a_curve_tells_its_figures_too(store: MlflowStore, root: Path) -> None:
    run, paths = store.start_stage("collect"), Paths(root, "collect")
    write_json(paths.out / "metrics.json", {"labelled": 12})
    store.finish_stage(run, "collect", state="ran", seconds=1.0, outputs={})
    assert MlflowClient(paths.tracking_uri).get_run(run).data.metrics["labelled"] == 12
