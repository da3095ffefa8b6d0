"""What a real Prefect server shows of a run that it is told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName

from flows.orchestration.prefect_api import PrefectApi
from flows.tracking.facts import BuildStarted, Fact, RunStarted, StageEnded, StageStarted
from flows.tracking.outbox import Told
from pipeline.core.process_identity import this_process
from tests.support.prefect_api import talking_to


@pytest.fixture
def client(prefect_root: tuple[Path, str]) -> Iterator[SyncPrefectClient]:
    with talking_to(prefect_root[1]), get_client(sync_client=True) as client:
        yield client


def stage_of(build: int, title: str) -> list[Fact]:
    """The facts of a build in which one stage ran."""
    now = time.time()
    started = BuildStarted(time=now, build=build, experiment="e", title=title, tags={}, kept="")
    ended = StageEnded(
        time=now, build=build, stage="prune", state="completed", name="Completed", message=""
    )
    return [started, StageStarted(time=now, build=build, stage="prune"), ended]


def test_stages_of_the_trials_of_a_search_are_told_apart(
    prefect_root: tuple[Path, str], client: SyncPrefectClient
) -> None:
    root, address = prefect_root
    api, told = PrefectApi(root, address=lambda: address, end_server=lambda: None), Told()
    begun = RunStarted(
        time=time.time(),
        run="r1",
        flow="search",
        title="a search",
        parameters={},
        process=this_process(),
    )
    for fact in [begun, *stage_of(0, "the whole"), *stage_of(1, "search 1: keep_share 0.25")]:
        api.tell([fact], told)
    api.close()
    [run] = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=["a search"]))
    )
    tasks = {task.name for task in client.read_task_runs() if task.flow_run_id == run.id}
    assert tasks == {"prune", "prune, search 1: keep_share 0.25"}
