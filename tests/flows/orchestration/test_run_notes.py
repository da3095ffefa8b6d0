"""A run whose process was killed does not stay Running in Prefect. A real Prefect server and real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterFlowRunId
from prefect.states import Cancelling, Running

from flows.orchestration.run_hooks import HOOKS
from flows.orchestration.run_notes import RunNote, close_killed_runs, killed_runs
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.files import write_json
from pipeline.core.process_identity import ProcessIdentity, this_process
from tests.support.prefect_api import talking_to
from tests.support.repository import REPOSITORY

KILLED = """
import os, signal
from prefect import flow, task
from flows.orchestration.run_hooks import HOOKS

@task
def stage():
    os.kill(os.getpid(), signal.SIGKILL)

@flow(name="build", persist_result=False, **HOOKS)
def build():
    stage()

build()
"""


@pytest.fixture
def api(prefect_root: tuple[Path, str]) -> Iterator[str]:
    with talking_to(prefect_root[1]):
        yield prefect_root[1]


@pytest.fixture
def client(api: str) -> Iterator[SyncPrefectClient]:
    del api
    with get_client(sync_client=True) as client:
        yield client


def dead() -> ProcessIdentity:
    return replace(this_process(), started="1")


def noted(root: Path, run: UUID, process: ProcessIdentity) -> None:
    note = RunNote(run=str(run), process=process)
    write_json(root / ".modelyard" / "runs" / f"{run}.json", asdict(note))


@flow(name="build")
def empty() -> None:
    pass


def test_a_killed_run_and_its_task_are_crashed_at_the_next_start(
    tmp_path: Path, api: str, client: SyncPrefectClient
) -> None:
    own = {"MODELYARD_ROOT": str(tmp_path), "PREFECT_API_URL": api, "PYTHONPATH": str(REPOSITORY)}
    environment = chosen_environment(os.environ) | own
    code = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False).returncode
    assert code == -9
    (note,) = killed_runs(tmp_path)
    run = client.read_flow_run(UUID(note.run))
    assert run.state is not None
    assert run.state.is_running()
    (line,) = close_killed_runs(tmp_path, api)
    assert "Crashed" in line
    run = client.read_flow_run(UUID(note.run))
    assert run.state is not None
    assert run.state.is_crashed()
    tasks = client.read_task_runs(
        task_run_filter=TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run.id]))
    )
    assert not any(task.state and task.state.is_running() for task in tasks)
    assert killed_runs(tmp_path) == [] == close_killed_runs(tmp_path, api)


def test_a_run_that_was_asked_to_stop_is_cancelled(
    tmp_path: Path, api: str, client: SyncPrefectClient
) -> None:
    run = client.create_flow_run(empty, state=Running())
    client.set_flow_run_state(run.id, Cancelling(), force=True)
    noted(tmp_path, run.id, dead())
    (line,) = close_killed_runs(tmp_path, api)
    assert "Cancelled" in line
    state = client.read_flow_run(run.id).state
    assert state is not None
    assert state.is_cancelled()


def test_living_runs_and_those_of_other_machines_are_left(
    tmp_path: Path, api: str, client: SyncPrefectClient
) -> None:
    runs = [client.create_flow_run(empty, state=Running()).id for _ in range(3)]
    noted(tmp_path, runs[0], this_process())
    noted(tmp_path, runs[1], replace(dead(), host="another"))
    # The third has no note yet, and began just now.
    assert close_killed_runs(tmp_path, api) == []
    states = [client.read_flow_run(run).state for run in runs]
    assert all(state is not None and state.is_running() for state in states)


def test_a_run_that_ends_well_leaves_no_note(
    tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del api
    monkeypatch.setenv("MODELYARD_ROOT", str(tmp_path))
    seen: list[int] = []

    @flow(name="build", persist_result=False, **HOOKS)
    def build() -> None:
        seen.append(len(list((tmp_path / ".modelyard" / "runs").iterdir())))

    build()
    assert seen == [1]
    assert list((tmp_path / ".modelyard" / "runs").iterdir()) == []
