"""What MLflow shows of a run is what the run noted, told once or twice, and no other's run is touched."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.planning.resolution import write_build_file
from flows.tracking.facts import (
    BuildEnded,
    BuildStarted,
    Curve,
    Document,
    Fact,
    Point,
    RunStarted,
    StageEnded,
    StageStarted,
)
from flows.tracking.mlflow_store import MlflowStore
from flows.tracking.outbox import Told
from flows.tracking.stage_outputs import left_by_stage
from flows.tracking.teller import RefusedError
from pipeline.core.files import write_json
from pipeline.core.params import parse_params
from pipeline.core.paths import Paths
from pipeline.core.process_identity import ProcessIdentity, this_process
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
    return MlflowStore(root)


def begun(store: MlflowStore, run: str, process: ProcessIdentity | None = None) -> Told:
    """What a store notes of a run with a build that goes on."""
    told = Told()
    process = process or this_process()
    for fact in (
        RunStarted(time=1.0, run=run, flow="build", title="build", parameters={}, process=process),
        BuildStarted(time=2.0, build=0, experiment="products", title="build", tags={}, kept="x"),
    ):
        store.tell([fact], told)
    return told


def tell(store: MlflowStore, told: Told, *facts: Fact) -> None:
    for fact in facts:
        store.tell([fact], told)


def test_the_kept_models_figure_is_the_latest_and_the_curve_stays(
    store: MlflowStore, root: Path
) -> None:
    """Of two seeds .7 and .8 the mean has .75; the second telling changes nothing."""
    paths, told = Paths(root, "finetune"), begun(store, "one")
    write_json(paths.out / "metrics.json", {"validation_quality": 0.75, "kept": "mean"})
    curves = [
        Curve(
            time=time.time() + number,
            build=0,
            stage="finetune",
            points=[
                Point(name="loss", value=0.6, step=5),
                Point(name="loss", value=0.5, step=10),
                Point(name="validation_quality", value=quality, step=10),
            ],
        )
        for number, quality in enumerate((0.7, 0.8))
    ]
    left = {**left_by_stage(paths), "last_step": 10}
    ended = StageEnded(
        time=time.time() + 5,
        build=0,
        stage="finetune",
        state="completed",
        name="Completed",
        message="good",
        seconds=3.0,
        **left,
    )
    started = StageStarted(time=3.0, build=0, stage="finetune")
    tell(store, told, started, *curves, ended)
    tell(store, Told(ids=dict(told.ids)), started, *curves, ended)
    run, client = told.ids["0/finetune"], MlflowClient(paths.tracking_uri)
    shown = client.get_run(run)
    assert shown.data.metrics["validation_quality"] == 0.75
    assert shown.data.metrics["seconds"] == 3.0
    assert shown.data.params["finetune.epochs"]
    assert (shown.info.status, shown.data.tags["state"]) == ("FINISHED", "ran")
    history = client.get_metric_history(run, "validation_quality")
    assert [point.value for point in history] == [0.7, 0.8, 0.75]
    assert [point.step for point in client.get_metric_history(run, "loss")] == [5, 10, 5, 10]


def test_a_run_that_is_told_again_by_another_process_is_the_same_run(
    store: MlflowStore, root: Path
) -> None:
    """The process was killed between making the run and noting its id."""
    first, second = begun(store, "two"), begun(store, "two")
    assert first.ids["0"] == second.ids["0"]
    document = Document(time=4.0, build=0, name="verdict.json", text="{}")
    tell(store, second, document, BuildEnded(time=5.0, build=0, state="cancelled"))
    run = MlflowClient(Paths(root).tracking_uri).get_run(first.ids["0"])
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("KILLED", 2000, 5000)


def test_only_runs_of_ended_processes_of_this_host_are_closed(
    store: MlflowStore, root: Path
) -> None:
    """A pid alone would close the runs of other machines and containers that share the database."""
    here = this_process()
    ended = begun(store, "ended", replace(here, started="1"))
    elsewhere = begun(store, "elsewhere", replace(here, started="1", host="another-container"))
    living = begun(store, "living")
    begun(store, "next")
    client = MlflowClient(Paths(root).tracking_uri)
    status = [client.get_run(told.ids["0"]).info.status for told in (ended, elsewhere, living)]
    assert status == ["KILLED", "RUNNING", "RUNNING"]


def test_what_belongs_to_a_run_that_was_deleted_is_refused_and_not_tried_for_ever(
    store: MlflowStore,
) -> None:
    told = begun(store, "three")
    lost = BuildEnded(time=5.0, build=7, state="completed")
    with pytest.raises(RefusedError):
        store.tell([lost], told)
