"""What a person did in the Prefect UI outlives the next `make ui`. A real Prefect server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolUpdate
from prefect.client.schemas.schedules import CronSchedule

from flows.orchestration.deployments import deploy
from tests.support.prefect_api import talking_to
from tests.support.repository import REPOSITORY

WEEKLY = {"slug": "weekly", "cron": "0 6 * * 1", "parameters": {"reason": "weekly schedule"}}
RETRAIN = "retrain/retrain"


@pytest.fixture
def client(prefect_root: tuple[Path, str]) -> Iterator[SyncPrefectClient]:
    """A client of a server without deployments."""
    with talking_to(prefect_root[1]), get_client(sync_client=True) as client:
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
        yield client


def plan(root: Path, *schedules: dict[str, Any], name: str = "retrain", **more: Any) -> None:
    """Writes a prefect.yaml with one deployment."""
    deployment = {
        "name": name,
        "entrypoint": "flows.orchestration.retrain_flow.retrain",
        "work_pool": {"name": "modelyard"},
        "schedules": list(schedules),
    } | more
    (root / "prefect.yaml").write_text(yaml.safe_dump({"deployments": [deployment]}))


def schedules(client: SyncPrefectClient, name: str = RETRAIN) -> dict[str | None, tuple[str, bool]]:
    """Slug → cron and whether it is active, as the server has them."""
    found = client.read_deployment_schedules(client.read_deployment_by_name(name).id)
    return {one.slug: (one.schedule.cron, one.active) for one in found}  # type: ignore[union-attr]


def test_the_repositorys_deployments_are_named_by_what_they_do(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    (tmp_path / "prefect.yaml").write_text((REPOSITORY / "prefect.yaml").read_text())
    assert deploy(tmp_path) == ["build/build", "release/release", "compress_search/search", RETRAIN]
    assert schedules(client) == {"weekly": ("0 6 * * 1", True)}


def test_a_paused_schedule_stays_paused_and_one_of_the_ui_stays(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(tmp_path, WEEKLY)
    deploy(tmp_path)
    made = client.read_deployment_by_name(RETRAIN)
    (weekly,) = client.read_deployment_schedules(made.id)
    client.update_deployment_schedule(made.id, weekly.id, active=False)
    own = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *"), active=True)
    client.create_deployment_schedules(made.id, [own])
    expected = {"weekly": ("0 6 * * 1", False), None: ("0 3 * * *", True)}
    deploy(tmp_path)
    assert schedules(client) == expected
    assert client.read_deployment_by_name(RETRAIN).id == made.id
    (tmp_path / ".modelyard" / "prefect" / "deployed.json").unlink()
    deploy(tmp_path)
    assert schedules(client) == expected


def test_what_the_file_changes_is_changed_and_nothing_else(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(tmp_path, WEEKLY, {"slug": "daily", "cron": "0 1 * * *"})
    deploy(tmp_path)
    made = client.read_deployment_by_name(RETRAIN).id
    for schedule in client.read_deployment_schedules(made):
        client.update_deployment_schedule(made, schedule.id, active=False)
    plan(tmp_path, WEEKLY | {"cron": "0 7 * * 1"})
    deploy(tmp_path)
    assert schedules(client) == {"weekly": ("0 7 * * 1", False)}
    plan(tmp_path, WEEKLY | {"active": False})
    deploy(tmp_path)
    plan(tmp_path, WEEKLY | {"active": True}, {"slug": "daily", "cron": "0 1 * * *"})
    deploy(tmp_path)
    assert schedules(client) == {"weekly": ("0 6 * * 1", True), "daily": ("0 1 * * *", True)}


def test_a_schedule_that_was_deleted_in_the_ui_stays_away(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(tmp_path, WEEKLY)
    deploy(tmp_path)
    made = client.read_deployment_by_name(RETRAIN).id
    client.delete_deployment_schedule(made, client.read_deployment_schedules(made)[0].id)
    deploy(tmp_path)
    assert schedules(client) == {}


def test_a_pool_that_exists_is_not_overwritten(tmp_path: Path, client: SyncPrefectClient) -> None:
    plan(tmp_path)
    deploy(tmp_path)
    client.update_work_pool("modelyard", WorkPoolUpdate(concurrency_limit=7, is_paused=True))
    deploy(tmp_path)
    pool = client.read_work_pool("modelyard")
    assert (pool.concurrency_limit, pool.is_paused) == (7, True)
    client.update_work_pool("modelyard", WorkPoolUpdate(is_paused=False))


def test_limits_tags_parameters_and_variables_reach_the_server(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(
        tmp_path,
        tags=["night"],
        parameters={"reason": "nightly"},
        concurrency_limit={"limit": 1, "collision_strategy": "CANCEL_NEW"},
        work_pool={"name": "modelyard", "job_variables": {"env": {"A": "b"}}},
    )
    deploy(tmp_path)
    found = client.read_deployment_by_name(RETRAIN)
    assert (found.tags, found.parameters) == (["night"], {"reason": "nightly"})
    assert found.job_variables == {"env": {"A": "b"}}
    assert found.global_concurrency_limit is not None
    assert found.global_concurrency_limit.limit == 1
    plan(tmp_path, tags=["day"])
    deploy(tmp_path)
    found = client.read_deployment_by_name(RETRAIN)
    assert (found.tags, found.parameters, found.job_variables) == (["day"], {}, {})
    assert found.global_concurrency_limit is None


def test_the_successor_of_a_deployment_of_the_old_name_keeps_what_people_did(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(tmp_path, WEEKLY, name="modelyard")
    deploy(tmp_path)
    old = client.read_deployment_by_name("retrain/modelyard").id
    weekly = client.read_deployment_schedules(old)[0]
    client.update_deployment_schedule(old, weekly.id, active=False)
    own = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *"), active=True)
    client.create_deployment_schedules(old, [own])
    (tmp_path / ".modelyard" / "prefect" / "deployed.json").unlink()  # older versions wrote none
    plan(tmp_path, WEEKLY)
    deploy(tmp_path)
    assert schedules(client) == {"weekly": ("0 6 * * 1", False), None: ("0 3 * * *", True)}
    assert [deployment.name for deployment in client.read_deployments()] == ["retrain"]


def test_a_deployment_that_the_file_no_longer_has_is_removed(
    tmp_path: Path, client: SyncPrefectClient
) -> None:
    plan(tmp_path, WEEKLY, name="other")
    deploy(tmp_path)
    plan(tmp_path, WEEKLY)
    assert deploy(tmp_path) == [RETRAIN]
    assert [deployment.name for deployment in client.read_deployments()] == ["retrain"]
