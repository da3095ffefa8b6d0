"""Copy the deployments and schedules of prefect.yaml to the project's Prefect server.

    python -m flows.orchestration.deployments

It does what `prefect deploy --all` does with the same file. That command of Prefect 3.8.8 ends with
an error after the first deployment under the FastAPI that Prefect's own server needs: it asks for
workers with `"limit": null`, which the server refuses. This one does not ask.
"""

import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from pipeline.core.output import forgive_output
from pipeline.core.params import parse_yaml
from pipeline.core.progress import say
from pipeline.core.typed_json import read_as


@dataclass(frozen=True)
class WorkPool:
    """Where a deployment's runs wait for the worker."""

    name: str
    work_queue_name: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a deployment runs by itself, and with which parameters."""

    slug: str
    cron: str
    timezone: str
    active: bool
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One entry of prefect.yaml; `entrypoint` is `package.module.flow`."""

    name: str
    entrypoint: str
    description: str
    work_pool: WorkPool
    schedules: list[Schedule] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DeploymentFile:
    """The whole of prefect.yaml; `definitions` are YAML anchors, `pull` steps before each run."""

    name: str
    pull: list[dict[str, Any]]
    definitions: dict[str, Any]
    deployments: list[Deployment]


def deploy(root: Path) -> list[str]:
    """Creates or updates every deployment; returns their names, `<flow>/<deployment>`.

    Raises:
        MismatchError: prefect.yaml lacks a key, or has an unknown one.
    """
    file = read_as(DeploymentFile, parse_yaml((root / "prefect.yaml").read_text(encoding="utf-8")))
    with get_client(sync_client=True) as client:
        for pool in sorted({deployment.work_pool.name for deployment in file.deployments}):
            template = ProcessWorker.get_default_base_job_template()
            plan = WorkPoolCreate(name=pool, type=ProcessWorker.type, base_job_template=template)
            client.create_work_pool(plan, overwrite=True)
        return [_deploy(client, deployment, file.pull) for deployment in file.deployments]


def _deploy(client: SyncPrefectClient, plan: Deployment, pull: list[dict[str, Any]]) -> str:
    flow = pkgutil.resolve_name(plan.entrypoint)
    client.create_deployment(
        flow_id=client.create_flow_from_name(flow.name),
        name=plan.name,
        entrypoint=plan.entrypoint,
        description=plan.description,
        work_pool_name=plan.work_pool.name,
        work_queue_name=plan.work_pool.work_queue_name,
        schedules=[
            DeploymentScheduleCreate(
                schedule=CronSchedule(cron=schedule.cron, timezone=schedule.timezone),
                active=schedule.active,
                parameters=schedule.parameters,
                slug=schedule.slug,
            )
            for schedule in plan.schedules
        ],
        # Resolved where the run happens: the folder may lie elsewhere by then.
        pull_steps=pull,
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )
    return f"{flow.name}/{plan.name}"


if __name__ == "__main__":
    forgive_output()
    for deployed in deploy(Path.cwd()):
        say(f"deployed  {deployed}")
