"""Runs a flow in this process and has Prefect and MLflow told about it (docs/adr/0026).

    python -m flows.orchestration.flow_runs    # what Prefect's worker starts for a form or a schedule

The function of the flow is called directly, not through Prefect's engine, so a run outlives the server.
"""

import os
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flows.execution.reconcile import reconcile
from flows.execution.stop_signals import stop_once
from flows.orchestration.form import ParametersForm
from flows.orchestration.prefect_server import ServerForRun, configure_prefect
from flows.orchestration.run_notes import ROOT_VARIABLE
from flows.tracking.recorder import recorded, tell_untold
from flows.tracking.teller import Destination, Teller
from pipeline.core.errors import PipelineError
from pipeline.core.output import forgive_output
from pipeline.core.paths import Paths
from pipeline.core.progress import say


def run_flow(root: Path, name: str, *, flow_run: str | None = None, **parameters: Any) -> None:
    """Runs a flow here.

    Args:
        name: `package.module.flow`.
        flow_run: Prefect's id of the run, where a worker starts it.
    """
    configure_prefect(root)
    flow = pkgutil.resolve_name(name)
    values = flow.validate_parameters(parameters)
    with recorded(
        root,
        tellers(root),
        flow=flow.name,
        title=run_title(flow.name, parameters),
        parameters=parameters,
        flow_run=flow_run,
    ) as recorder:
        recorder.message = flow.fn(**values).message or ""


def tellers(root: Path) -> Sequence[Teller]:
    """The two that tell Prefect and MLflow."""

    def prefect() -> Destination:
        from flows.orchestration.prefect_api import PrefectApi

        server = ServerForRun(root)
        return PrefectApi(root, address=server.address, end_server=server.close)

    def mlflow() -> Destination:
        from flows.tracking.mlflow_store import MlflowStore

        return MlflowStore(root)

    log = Paths(root).logs / "telling.log"
    return [Teller(prefect, name="Prefect", log=log), Teller(mlflow, name="MLflow", log=log)]


def catch_up(root: Path) -> None:
    """Tells Prefect and MLflow what earlier runs could not, where there is such a thing."""
    configure_prefect(root)
    tell_untold(root, tellers(root))


def run_title(flow: str, parameters: Mapping[str, Any]) -> str:
    """Name of a run in the Prefect UI: what varies."""
    form = ParametersForm.model_validate(parameters.get("parameters") or {})
    named = [parameters.get("profile"), parameters.get("product")]
    varied = ", ".join(filter(None, [*named, *form.lines(), *parameters.get("changes", ())]))
    return f"{flow} {varied}"[:100].strip()


def main() -> int:
    """Runs what a form or a schedule asked for; returns 0 where the end was noted, however it ended."""
    # Imported here: they load Prefect.
    from prefect.client.orchestration import get_client

    from flows.orchestration.run_hooks import HOOKS, under_way

    root = Path(os.environ[ROOT_VARIABLE])
    os.chdir(root)
    stop_once()
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(os.environ["PREFECT__FLOW_RUN_ID"]))
        assert run.deployment_id is not None  # noqa: S101 - a worker runs deployments only
        deployment = client.read_deployment(run.deployment_id)
    assert deployment.entrypoint is not None  # noqa: S101 - prefect.yaml names one
    for hook in HOOKS["on_running"]:
        hook(None, run, None)
    # After the hooks, which note that this run has a process: only then is it none of those to mend.
    reconcile(root)
    token = under_way.set(run)
    try:
        run_flow(root, deployment.entrypoint, flow_run=str(run.id), **run.parameters)
    except PipelineError as error:
        say(f"{deployment.name} failed\n  {error}")
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        under_way.reset(token)
    return 0


if __name__ == "__main__":
    forgive_output()
    sys.exit(main())
