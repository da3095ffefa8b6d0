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


@pytest.mark.parametrize(
    ("flow", "shown"),
    [
        (
            "compress_search",
            {"prune, search 0: keep_share 0.5", "prune, search 1: keep_share 0.25"},
        ),
        ("build", {"prune"}),
    ],
)
def test_a_stage_of_a_search_says_of_which_trial_it_is(
    prefect_root: tuple[Path, str], client: SyncPrefectClient, flow: str, shown: set[str]
) -> None:
    root, address = prefect_root
    api, told = PrefectApi(root, address=lambda: address, end_server=lambda: None), Told()
    begun = RunStarted(
        time=time.time(),
        run=f"run of {flow}",
        flow=flow,
        title=f"a {flow}",
        parameters={},
        process=this_process(),
    )
    first, second = (
        stage_of(0, "search 0: keep_share 0.5"),
        stage_of(1, "search 1: keep_share 0.25"),
    )
    for fact in [begun, *first, *second]:
        api.tell([fact], told)
    api.close()
    [run] = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[f"a {flow}"]))
    )
    assert {task.name for task in client.read_task_runs() if task.flow_run_id == run.id} == shown
