"""Bring the deployments and schedules of prefect.yaml to the project's Prefect server.

    python -m flows.orchestration.deployments

It does what `prefect deploy --all` does with the same file. That command of Prefect 3.8.8 ends with
an error after the first deployment under the FastAPI that Prefect's own server needs: it asks for
workers with `"limit": null`, which the server refuses. This asks nothing.
"""

import importlib
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from pipeline.core.params import parse_yaml
from pipeline.core.progress import say

FILE = "prefect.yaml"


def deploy(root: Path) -> list[str]:
    """Create or update every deployment; returns their names, `<flow>/<deployment>`.

    Raises:
        KeyError: prefect.yaml lacks a field.
    """
    plan = parse_yaml((root / FILE).read_text(encoding="utf-8"))
    with get_client(sync_client=True) as client:
        for pool in sorted({entry["work_pool"]["name"] for entry in plan["deployments"]}):
            _create_pool(client, pool)
        return [_deploy(client, entry, plan["pull"]) for entry in plan["deployments"]]


def _create_pool(client: SyncPrefectClient, name: str) -> None:
    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
    client.create_work_pool(pool, overwrite=True)


def _deploy(client: SyncPrefectClient, entry: dict[str, Any], pull: list[dict[str, Any]]) -> str:
    flow = load_flow(entry["entrypoint"])
    client.create_deployment(
        flow_id=client.create_flow_from_name(flow.name),
        name=entry["name"],
        entrypoint=entry["entrypoint"],
        description=entry["description"],
        work_pool_name=entry["work_pool"]["name"],
        work_queue_name=entry["work_pool"]["work_queue_name"],
        schedules=[_schedule(value) for value in entry.get("schedules", [])],
        # Resolved where the run happens: the folder may lie elsewhere by then.
        pull_steps=pull,
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )
    return f"{flow.name}/{entry['name']}"


def load_flow(entrypoint: str) -> Flow[Any, Any]:
    """The flow that `package.module.name` names."""
    module, _, name = entrypoint.rpartition(".")
    flow: Flow[Any, Any] = getattr(importlib.import_module(module), name)
    return flow


def _schedule(value: dict[str, Any]) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=CronSchedule(cron=value["cron"], timezone=value["timezone"]),
        active=value["active"],
        parameters=value["parameters"],
        slug=value["slug"],
    )


if __name__ == "__main__":
    for deployed in deploy(Path.cwd()):
        say(f"deployed  {deployed}")
