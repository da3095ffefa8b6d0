"""A schedule that was missed runs once, and says how often it was missed. A real Prefect server."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import State
from prefect.client.schemas.schedules import CronSchedule
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from flows.orchestration.run_hooks import HOOKS, reason_with_missed
from tests.support.prefect_api import talking_to
from tests.support.prefect_database import database_of

seen: list[str] = []


@flow(name="retrain", persist_result=False, **HOOKS)
def retrain(reason: str = "schedule") -> None:
    seen.append(reason_with_missed(reason))


@pytest.fixture
def root(prefect_root: tuple[Path, str]) -> Path:
    return prefect_root[0]


@pytest.fixture
def client(
    prefect_root: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SyncPrefectClient]:
    monkeypatch.setenv("MODELYARD_ROOT", str(prefect_root[0]))
    seen.clear()
    with talking_to(prefect_root[1]), get_client(sync_client=True) as client:
        yield client


def late_runs(root: Path, client: SyncPrefectClient, *, weeks: int, recorded: int) -> list[UUID]:
    """The runs that a weekly schedule has made while the machine was off for some weeks."""
    last = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=1)
    cron = CronSchedule(cron=f"{last.minute} {last.hour} * * {last.isoweekday() % 7}")
    schedule = DeploymentScheduleCreate(schedule=cron, active=True, slug="weekly")
    deployment = client.create_deployment(
        client.create_flow_from_name("retrain"), "retrain", schedules=[schedule]
    )
    (made,) = client.read_deployment_schedules(deployment)
    author = json.dumps({"id": str(made.id), "type": "SCHEDULE", "display_value": "weekly"})
    runs = []
    for number in range(recorded):
        due = last - timedelta(weeks=weeks - 1 - number)
        at: State[None] = Scheduled(scheduled_time=due)
        run = client.create_flow_run_from_deployment(deployment, state=at)
        values = (author, due.strftime("%Y-%m-%d %H:%M:%S.000000"), run.id.hex)
        set_to = "auto_scheduled = 1, created_by = ?, expected_start_time = ?"
        with closing(sqlite3.connect(database_of(root), timeout=30)) as database, database:
            for form in (values, (*values[:2], str(run.id))):
                database.execute(f"UPDATE flow_run SET {set_to} WHERE id = ?", form)  # noqa: S608
        runs.append(run.id)
    return runs


def test_five_missed_weeks_are_one_run_that_says_so(root: Path, client: SyncPrefectClient) -> None:
    first, *others = late_runs(root, client, weeks=5, recorded=3)
    by_hand = client.create_flow_run(retrain, state=Scheduled())
    run_flow(retrain, flow_run=client.read_flow_run(first))
    assert seen == ["schedule, 5 missed"]
    states = [client.read_flow_run(run).state for run in others]
    assert [state.name for state in states if state] == ["Missed", "Missed"]
    assert all(state and state.is_cancelled() for state in states)
    kept = client.read_flow_run(by_hand.id).state
    assert kept is not None
    assert kept.is_scheduled()


def test_a_run_on_time_and_one_that_a_person_asked_for_say_nothing(
    root: Path, client: SyncPrefectClient
) -> None:
    retrain(reason="asked for")
    assert seen == ["asked for"]
    (late,) = late_runs(root, client, weeks=1, recorded=1)
    run_flow(retrain, flow_run=client.read_flow_run(late))
    assert seen == ["asked for", "schedule, 1 missed"]
