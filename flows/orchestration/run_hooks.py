"""The hooks of our flows: what each does when Prefect starts it and when Prefect knows its end.

A schedule that could not fire, since the machine was off or busy, is made up for once: the first
late run takes the place of all that are late, and says how many there were.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.states import Cancelled
from prefect.utilities.asyncutils import run_coro_as_sync

from flows.orchestration.run_notes import forget_run, note_run

under_way: ContextVar[FlowRun | None] = ContextVar("flow_run", default=None)
"""Prefect's flow run in which this process works; None where nobody asked Prefect for it."""

_LATE = timedelta(hours=1)
"""A single run of a schedule that begins later than this was missed too."""
_MANY = 1000


def skip_missed(flow: object, flow_run: FlowRun, state: object) -> None:
    """Cancels what else its schedule should have started by now; Prefect calls it as `on_running`."""
    del flow, state
    now = datetime.now(UTC)
    if not _is_late(flow_run, now, by=timedelta(minutes=1)):
        return
    with get_client(sync_client=True) as client:
        for other in _late_runs(client, flow_run, now):
            told = f"It was missed; the run {flow_run.name!r} makes up for it."
            client.set_flow_run_state(other.id, Cancelled(name="Missed", message=told))


HOOKS: dict[str, Any] = {
    "on_running": [note_run, skip_missed],
    **{f"on_{end}": [forget_run] for end in ("completion", "failure", "crashed", "cancellation")},
}
"""What each flow is declared with: `@flow(name=…, **HOOKS)`."""


def reason_with_missed(reason: str) -> str:
    """The reason for the run under way, which says how often its schedule was missed: `…, 5 missed`."""
    context, now = FlowRunContext.get(), datetime.now(UTC)
    run = under_way.get() or (context.flow_run if context else None)
    if run is None or not _is_late(run, now, by=timedelta(0)):
        return reason
    missed = _times_due(run, now)
    single = missed == 1 and not _is_late(run, now, by=_LATE)
    return reason if missed == 0 or single else f"{reason}, {missed} missed"


def _is_late(run: FlowRun, now: datetime, *, by: timedelta) -> bool:
    due = run.expected_start_time
    return bool(run.auto_scheduled and run.deployment_id and due and now - due > by)


def _late_runs(client: SyncPrefectClient, run: FlowRun, now: datetime) -> list[FlowRun]:
    """The other runs of the same schedule that should have begun by now and have not."""
    assert run.deployment_id is not None  # noqa: S101 - it is late
    scheduled = FlowRunFilterStateType(any_=[StateType.SCHEDULED])
    found = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[run.deployment_id])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=scheduled),
            expected_start_time=FlowRunFilterExpectedStartTime(before_=now),
        ),
        limit=200,
    )
    schedule = _schedule_of(run)
    return [
        other
        for other in found
        if other.auto_scheduled and other.id != run.id and _schedule_of(other) == schedule
    ]


def _times_due(run: FlowRun, now: datetime) -> int:
    """How often the run's schedule should have fired from the run's own time to now."""
    # Late, for it imports Prefect's server; this is rare.
    from prefect.server.schemas import schedules

    assert run.deployment_id is not None  # noqa: S101 - it is late
    assert run.expected_start_time is not None  # noqa: S101
    with get_client(sync_client=True) as client:
        known = {
            one.id: one.schedule for one in client.read_deployment_schedules(run.deployment_id)
        }
    own = _schedule_of(run)
    if own is None or own not in known:
        return 1
    kinds = (schedules.CronSchedule, schedules.IntervalSchedule, schedules.RRuleSchedule)
    kind = next(kind for kind in kinds if kind.__name__ == type(known[own]).__name__)
    same = kind.model_validate(known[own].model_dump())
    due = run_coro_as_sync(same.get_dates(n=_MANY, start=run.expected_start_time, end=now))
    return len(due or [])


def _schedule_of(run: FlowRun) -> UUID | None:
    return run.created_by.id if run.created_by and run.created_by.type == "SCHEDULE" else None
