"""Copy the deployments and schedules of prefect.yaml to the project's Prefect server.

    python -m flows.orchestration.deployments

What the file has changed since the last time is changed on the server, and nothing else: a schedule
that a person paused stays paused, one that was added in the UI stays, one that was deleted there
stays away, and a work pool that exists is not touched. `prefect deploy --all` would delete all
schedules and make them anew.

What was handed over last is noted in `.modelyard/prefect/deployed.json`, as a hash of each value.
"""

import pkgutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import (
    SCHEDULE_TYPES,
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
)
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from flows.orchestration.deployment_file import (
    ConcurrencyLimit,
    Deployment,
    DeploymentFile,
    Schedule,
    read_deployment_file,
)
from pipeline.core.files import read_json, sha256_json, write_json
from pipeline.core.output import forgive_output
from pipeline.core.paths import Paths
from pipeline.core.progress import say

_FORMER_NAME = "modelyard"
"""What every deployment was called until 2026-11; their schedules go to the successors."""
_TIME = ("cron", "interval", "rrule", "timezone")

Marks = dict[str, str]
"""Key → hash of the value that was handed over last."""


class Noted:
    """Remembers what was handed over last: by deployment, its id, and marks of fields and schedules."""

    def __init__(self, root: Path) -> None:
        self._path = Paths(root).state / "prefect" / "deployed.json"
        self.all: dict[str, dict[str, Any]] = read_json(self._path) if self._path.exists() else {}

    def of(self, name: str, known: UUID) -> dict[str, Any]:
        """The note of a deployment; an empty one where the server's is another deployment."""
        note = self.all.get(name, {})
        return note if note.get("id") == str(known) else {}

    def save(self) -> None:
        write_json(self._path, self.all)


def deploy(root: Path) -> list[str]:
    """Brings every deployment up to date; returns their names, `<flow>/<deployment>`.

    A deployment that was made from the file and that the file no longer has is deleted.

    Raises:
        ParameterError: prefect.yaml lacks a key, or has an unknown one.
    """
    file, noted = read_deployment_file(root), Noted(root)
    with get_client(sync_client=True) as client:
        for pool in sorted({deployment.work_pool.name for deployment in file.deployments}):
            template = ProcessWorker.get_default_base_job_template()
            plan = WorkPoolCreate(name=pool, type=ProcessWorker.type, base_job_template=template)
            with suppress(ObjectAlreadyExists):
                client.create_work_pool(plan)
        names = [_deploy(client, plan, file=file, noted=noted) for plan in file.deployments]
        for name in noted.all.keys() - set(names):
            if (gone := _find(client, name)) and noted.of(name, gone.id):
                client.delete_deployment(gone.id)
                say(f"removed   {name}")
            del noted.all[name]
    noted.save()
    return names


def _deploy(
    client: SyncPrefectClient, plan: Deployment, *, file: DeploymentFile, noted: Noted
) -> str:
    """Creates a deployment, or changes of it what the file has changed; returns its name."""
    flow = pkgutil.resolve_name(plan.entrypoint)
    name, fields = f"{flow.name}/{plan.name}", _fields(plan, flow, file)
    wanted = {schedule.slug: schedule for schedule in plan.schedules}
    found = _find(client, name)
    if found is None:
        schedules = _with_former(client, flow.name, plan, file)
        made = client.create_deployment(
            flow_id=client.create_flow_from_name(flow.name),
            name=plan.name,
            schedules=schedules,
            **fields,
        )
    else:
        made, note = found.id, noted.of(name, found.id)
        if changed := _changed(fields, note.get("fields", {})):
            client.update_deployment(made, DeploymentUpdate(**changed))
        _update_schedules(client, made, wanted=wanted, last=note.get("schedules", {}))
    noted.all[name] = {
        "id": str(made),
        "fields": _marks(fields),
        "schedules": {slug: _marks(asdict(schedule)) for slug, schedule in wanted.items()},
    }
    return name


def _fields(plan: Deployment, flow: "Flow[..., Any]", file: DeploymentFile) -> dict[str, Any]:
    """All of a deployment but its name and its schedules, as Prefect's client takes it."""
    limit = plan.concurrency_limit
    if not isinstance(limit, ConcurrencyLimit):
        limit = ConcurrencyLimit(limit=limit) if limit is not None else None
    strategy = {"collision_strategy": limit.collision_strategy} if limit else {}
    return {
        "entrypoint": plan.entrypoint,
        "description": plan.description or "",
        "version": plan.version,
        "tags": plan.tags,
        "parameters": plan.parameters,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": ConcurrencyOptions.model_validate(strategy) if limit else None,
        "work_pool_name": plan.work_pool.name,
        "work_queue_name": plan.work_pool.work_queue_name,
        "job_variables": plan.work_pool.job_variables,
        # Resolved where the run happens: the folder may lie elsewhere by then.
        "pull_steps": file.pull,
        "parameter_openapi_schema": parameter_schema(flow).model_dump_for_openapi(),
        "enforce_parameter_schema": plan.enforce_parameter_schema,
    }


def _update_schedules(
    client: SyncPrefectClient,
    deployment: UUID,
    *,
    wanted: Mapping[str, Schedule],
    last: Mapping[str, Marks],
) -> None:
    """Makes on the server those changes of schedules that the file has seen since `last`."""
    present = {found.slug: found for found in client.read_deployment_schedules(deployment)}
    for slug, schedule in wanted.items():
        changed = _changed(asdict(schedule), last.get(slug, {}))
        if slug not in present and changed:
            client.create_deployment_schedules(deployment, [_created(schedule)])
        elif slug in present and changed:
            # Nothing is known of the last time: a person may have paused it.
            active = schedule.active if slug in last and "active" in changed else None
            client.update_deployment_schedule(
                deployment,
                present[slug].id,
                active=active,
                schedule=_time(schedule) if any(key in changed for key in _TIME) else None,
                parameters=schedule.parameters if "parameters" in changed else None,
            )
    for slug in last.keys() - wanted.keys():
        if slug in present:
            client.delete_deployment_schedule(deployment, present[slug].id)


def _with_former(
    client: SyncPrefectClient, flow: str, plan: Deployment, file: DeploymentFile
) -> list[DeploymentScheduleCreate]:
    """The schedules of a new deployment: the file's, and what people did to its predecessor's.

    The predecessor, which had the same name for every flow, is deleted.
    """
    named = {(entry.entrypoint, entry.name) for entry in file.deployments}
    created = {schedule.slug: _created(schedule) for schedule in plan.schedules}
    former = _find(client, f"{flow}/{_FORMER_NAME}")
    if former is None or (plan.entrypoint, _FORMER_NAME) in named:
        return list(created.values())
    more = []
    for schedule in client.read_deployment_schedules(former.id):
        if known := created.get(schedule.slug or ""):
            known.active = schedule.active
        else:
            more.append(
                DeploymentScheduleCreate(
                    schedule=schedule.schedule,
                    active=schedule.active,
                    parameters=schedule.parameters,
                    slug=schedule.slug,
                )
            )
    client.delete_deployment(former.id)
    return [*created.values(), *more]


def _created(schedule: Schedule) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=_time(schedule),
        active=schedule.active,
        parameters=schedule.parameters,
        slug=schedule.slug,
    )


def _time(schedule: Schedule) -> SCHEDULE_TYPES:
    """When it fires, as Prefect writes it."""
    if schedule.cron is not None:
        return CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    if schedule.rrule is not None:
        return RRuleSchedule(rrule=schedule.rrule, timezone=schedule.timezone)
    values = {"interval": schedule.interval, "timezone": schedule.timezone}
    return IntervalSchedule.model_validate(values)


def _find(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def _marks(values: Mapping[str, Any]) -> Marks:
    """A hash of each value, to tell later whether it was changed."""
    return {key: sha256_json(_plain(value))[:16] for key, value in values.items()}


def _changed(values: Mapping[str, Any], last: Marks) -> dict[str, Any]:
    """The values that differ from those of the last time."""
    return {
        key: value for key, value in values.items() if _marks({key: value})[key] != last.get(key)
    }


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, ConcurrencyOptions) else value


if __name__ == "__main__":
    forgive_output()
    for deployed in deploy(Path.cwd()):
        say(f"deployed  {deployed}")
