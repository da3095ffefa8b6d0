"""Whole builds of a small repository: real DVC, Prefect and MLflow, in processes of their own."""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from flows.execution.locks import WORKSPACE_VARIABLE
from flows.orchestration.prefect_server import configure_prefect, temporary_server
from flows.tracking.runs import read_runs
from pipeline.core.files import write_json
from tests.support.mini_repo import make_mini_repo, mini_environment, set_parameter
from tests.support.prefect_database import put_database

HEAVY = ("prefect", "mlflow", "torch")
WATCHED = f"""
import atexit, runpy, sys
atexit.register(lambda: print("imported:", [n for n in {HEAVY!r} if n in sys.modules]))
sys.argv = ["modelyard", "build", *sys.argv[1:]]
runpy.run_module("flows", run_name="__main__")
"""


def build(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WATCHED, "--no-release", *arguments],
        cwd=root,
        env=mini_environment(root, **environment),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def beside(tmp_path: Path, prefect_root: tuple[Path, str]) -> Callable[[str], Path]:
    """Makes a small repository with a text, whose builds tell a Prefect server that runs already."""

    def make(text: str) -> Path:
        root = make_mini_repo(tmp_path / "repo", text=text)
        write_json(root / ".modelyard" / "ui.json", {"prefect_api": prefect_root[1]})
        return root

    return make


def states(root: Path) -> list[str]:
    with sqlite3.connect(root / ".modelyard/prefect/prefect.db") as database:
        return [name for (name,) in database.execute("select state_name from task_run")]


def mlflow_runs(root: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(root / "mlflow.db") as database:
        return set(database.execute("select name, status from runs"))


def is_recorded(root: Path) -> bool:
    if not (root / "mlflow.db").exists():  # to ask would make it
        return False
    try:
        return ("build", "RUNNING") in mlflow_runs(root)
    except sqlite3.OperationalError:  # MLflow has not made its tables yet
        return False


def stage_processes(root: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(WORKSPACE_VARIABLE) == str(root)
    ]


def kill_while_validate_runs(root: Path) -> None:
    """Start a build on a temporary server, see a second one refused, kill the first."""
    log = root / ".modelyard" / "flow.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as stream:
        command = [sys.executable, "-m", "flows", "build", "--no-release"]
        own = mini_environment(root, STEPS="6000")
        flow = subprocess.Popen(command, cwd=root, env=own, stdout=stream, stderr=stream)
    while "validate  1/6000" not in log.read_text() or not is_recorded(root):
        assert flow.poll() is None, log.read_text()
        time.sleep(0.1)
    second = build(root)
    assert second.returncode == 1
    assert f"process {flow.pid}" in second.stderr
    started = psutil.Process(flow.pid).children(recursive=True)
    flow.send_signal(signal.SIGKILL)
    flow.wait()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


@pytest.fixture
def environment_restored() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("environment_restored")
def test_a_killed_build_goes_on_and_a_finished_one_has_nothing_to_do(
    tmp_path: Path, prefect_database: Path
) -> None:
    root = make_mini_repo(tmp_path, text="one two slow")
    put_database(prefect_database, root)
    kill_while_validate_runs(root)
    configure_prefect(root)
    with temporary_server(root) as address:
        write_json(root / ".modelyard" / "ui.json", {"prefect_api": address})
        check_that_it_goes_on(root)
        check_that_nothing_is_left_to_do(root)
        check_that_another_product_is_built_beside(root)
        check_that_bad_input_leaves_results(root)


def check_that_it_goes_on(root: Path) -> None:
    again = build(root, QUICK="1")
    assert again.returncode == 0, again.stdout + again.stderr
    assert stage_processes(root) == []
    rows = [line.split()[:2] for line in again.stdout.splitlines()]
    assert ["collect", "cached"] in rows
    assert ["gate", "ran"] in rows
    assert {"Cached", "Completed"} <= set(states(root))
    assert ("gate", "FINISHED") in mlflow_runs(root)
    assert ("build", "KILLED") in mlflow_runs(root)


def check_that_nothing_is_left_to_do(root: Path) -> None:
    idle = build(root)
    assert idle.returncode == 0, idle.stdout + idle.stderr
    assert "imported: []" in idle.stdout
    assert "4 cached" in idle.stdout


def check_that_another_product_is_built_beside(root: Path) -> None:
    shown = (root / "products/movie-reviews.yaml").read_text()
    other = shown.replace("name: movie-review-sentiment", "name: other-product")
    (root / "other.yaml").write_text(f"{other}\nrecipe:\n  gate.golden_requests: 9\n")
    before = {
        name: (root / name).read_bytes() for name in ("dvc.lock", "build.yaml", "params.yaml")
    }
    built = build(root, "--product", "other.yaml")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "released student-int8, 9 golden" in built.stdout
    kept = root / ".modelyard/builds/other-product"
    assert yaml.safe_load((kept / "build.yaml").read_text())["product"]["name"] == "other-product"
    assert {name: (root / name).read_bytes() for name in before} == before
    again = build(root, MODELYARD_PRODUCT="other.yaml")  # as `make PRODUCT=other.yaml` says it
    assert "imported: []" in again.stdout
    assert "4 cached" in again.stdout


def check_that_bad_input_leaves_results(root: Path) -> None:
    parameters = (root / "params.yaml").read_bytes()
    set_parameter(root, "gate.golden_requests", "many")
    refused = build(root)
    assert refused.returncode == 1
    assert "gate.golden_requests" in refused.stderr
    (root / "params.yaml").write_bytes(parameters)

    text = root / "data/text.txt"
    text.write_text("bad")
    failed = build(root)
    assert failed.returncode == 1
    assert json.loads((root / ".modelyard/last_failure.json").read_text())["got"] == "a bad text"
    assert "next: mend data/text.txt" in failed.stderr
    assert (root / "artifacts/gate/verdict.json").exists()


def test_a_build_that_waits_for_labels_ends_well(beside: Callable[[str], Path]) -> None:
    root = beside("unlabelled words")
    (root / "to_annotate.csv").write_text("of an earlier round, filled in")
    waits = build(root)
    assert waits.returncode == 0, waits.stderr
    assert "The build waits for labels: none of 2 rows has a label" in waits.stdout
    assert "annotate: about 2 labels" in waits.stdout
    assert "Fill in to_annotate-2.csv" in waits.stdout
    assert "a text" in (root / "to_annotate-2.csv").read_text()
    assert (root / "to_annotate.csv").read_text() == "of an earlier round, filled in"
    assert not (root / ".modelyard/last_failure.json").exists()
    assert not (root / "artifacts/gate/metrics.json").exists()


@pytest.mark.soak
def test_a_build_that_can_learn_nothing_ends_well_and_goes_on_with_other_labels(
    beside: Callable[[str], Path],
) -> None:
    root = beside("labels by chance")
    write_json(root / "artifacts/gate/verdict.json", {"verdict": "of a build before"})
    answered = build(root)
    assert answered.returncode == 0, answered.stderr
    assert "The build ends with an answer: no: cannot be told" in answered.stdout
    assert "look whether labels fit" in answered.stdout
    kept = ".modelyard/no_model.json"
    assert kept in answered.stdout
    assert json.loads((root / kept).read_text())["verdict"] == "no: cannot be told"
    told = json.loads((root / "artifacts/gate/verdict.json").read_text())
    assert told["verdict"] == "no: cannot be told"
    assert not (root / ".modelyard/last_failure.json").exists()
    assert {status for _, status in mlflow_runs(root)} == {"FINISHED"}

    (root / "data" / "text.txt").write_text("now with labels")
    assert build(root).returncode == 0
    assert (root / "artifacts/gate/metrics.json").exists()
    assert not (root / kept).exists()


def test_a_retraining_that_waits_for_labels_ends_well_and_says_so_everywhere(
    beside: Callable[[str], Path], prefect_root: tuple[Path, str]
) -> None:
    root = beside("unlabelled words")
    command = [sys.executable, "-m", "flows", "retrain", "--reason", "nightly"]
    environment = mini_environment(root)
    waits = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    told = "none of 2 rows has a label: champion stays. Next: annotate: about 2 labels"
    assert waits.returncode == 0, waits.stderr
    assert told in waits.stdout
    assert "failed" not in waits.stdout + waits.stderr
    (run,) = read_runs(root)
    assert (run.end, run.reason) == ("labels needed", "nightly")
    assert run.why.startswith(told)
    assert (root / "to_annotate.csv").exists()  # where people find it: the worktree is gone
    assert not (root / ".modelyard/last_failure.json").exists()
    assert {status for _, status in mlflow_runs(root)} == {"FINISHED"}
    with sqlite3.connect(prefect_root[0] / ".modelyard/prefect/prefect.db") as database:
        last, state, message = database.execute(
            "select run.id, run.state_name, state.message from flow_run run join flow_run_state state"
            " on run.state_id = state.id order by run.created desc"
        ).fetchone()
        told_levels = database.execute("select level from log where flow_run_id = ?", [last])
        levels = {level for (level,) in told_levels}
        page = database.execute("select data from artifact where key = 'retrain-decision'")
        assert "Labels are needed, champion stays" in page.fetchone()[0]
    assert state == "Completed"
    assert message.startswith(told)
    assert max(levels) < logging.ERROR
