"""Start the Prefect server, MLflow, and a worker that runs what forms and schedules ask for.

    modelyard ui [--prefect-port 4200] [--mlflow-port 5000]

All three are detached, listen on this machine only, and log to `.modelyard/logs/`. What runs
already is kept, and what dies is started again (flows/execution/keeper.py). The worker is Prefect's own
process worker, and flows/orchestration/deployments.py brings what prefect.yaml has changed to the
server. Each run is a process of its own (a run that dies takes nothing with it), and a restarted
worker finds waiting runs.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from flows.execution import keeper
from flows.execution.network import HOST, is_free, wait_until_answers
from flows.orchestration.deployment_file import read_deployment_file
from flows.orchestration.flow_runs import catch_up
from flows.orchestration.prefect_server import configure_prefect, prefect_environment
from flows.orchestration.run_notes import mend_runs
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.process_identity import ProcessIdentity, identity_of, is_running
from pipeline.core.progress import say
from pipeline.release.production import stop_serving
from pipeline.release.server_process import is_alive, stop_process
from pipeline.release.state import all_states

_PORTS_TO_TRY = 50
_CODE = Path(__file__).resolve().parents[1]
_STARTUP = _CODE / "flows" / "tracking" / "startup"


@dataclass
class Services:
    """The services that `modelyard ui` started, as `.modelyard/ui.json` holds them.

    Addresses are empty before the service was started; `pids` has the keeper of each service.
    """

    root: Path
    prefect_api: str = ""
    prefect_ui: str = ""
    mlflow: str = ""
    pids: dict[str, ProcessIdentity] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> "Services":
        """The services that were started before; none where the file is missing."""
        path = Paths(root).services
        if not path.exists():
            return cls(root)
        noted = read_json(path)
        known = {name: _identity(values) for name, values in noted.pop("pids", {}).items()}
        return cls(root, pids={name: one for name, one in known.items() if one}, **noted)

    def save(self) -> None:
        """Writes `.modelyard/ui.json`."""
        known = {name: value for name, value in asdict(self).items() if value and name != "root"}
        write_json(Paths(self.root).services, known)

    def runs(self, name: str) -> bool:
        """Whether the very process that was started for `name` still runs."""
        process = self.pids.get(name)
        return process is not None and is_running(process)

    def start(self, name: str, command: Sequence[str], *, patient: bool = False) -> None:
        """Starts a detached keeper of `python -m COMMAND`; saves at once, so that `stop` finds it.

        Unless it is patient, it gives up where the command ends within seconds of its first start.
        """
        log = Paths(self.root).logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        options = ["--patient"] if patient else []
        service = [sys.executable, "-m", *command]
        process = subprocess.Popen(
            [sys.executable, "-P", str(keeper.__file__), *options, str(log), *service],
            cwd=self.root,
            env=environment(self.root, self.prefect_api),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if (started := identity_of(process.pid)) is not None:
            self.pids[name] = started
        self.save()
        # It outlives this process on purpose: without a code, Popen would warn about that.
        process.returncode = 0

    def stop(self, name: str) -> bool:
        """Stops a service with all that it started; True if it ran."""
        process = self.pids.pop(name, None)
        return process is not None and stop_process(process)


def _identity(noted: dict[str, Any]) -> ProcessIdentity | None:
    """The process that a note means, whatever version wrote it; None where it has ended."""
    if "create_time" not in noted:
        return ProcessIdentity(**noted)
    return identity_of(noted["pid"]) if is_alive(**noted) else None


def start_ui(root: Path, *, prefect_port: int, mlflow_port: int) -> Services:
    """Starts what does not run yet, and brings prefect.yaml to Prefect.

    Raises:
        PipelineError: prefect.yaml is wrong, or a service does not start.
    """
    read_deployment_file(root)
    configure_prefect(root)
    Paths(root).state.mkdir(exist_ok=True)
    # A second `make ui` at the same time waits, then finds everything running.
    with FileLock(Paths(root).state / "ui.lock"):
        services = Services.load(root)
        if not services.runs("prefect"):
            services.stop("worker")
            port = next_free_port(prefect_port, "prefect")
            services.prefect_ui = f"http://{HOST}:{port}"
            services.prefect_api = f"{services.prefect_ui}/api"
            services.start("prefect", ["flows.orchestration.server_lock", str(port)])
        if not services.runs("mlflow"):
            _start_mlflow(services, mlflow_port)
        for name, address in (("prefect", services.prefect_api), ("mlflow", services.mlflow)):
            log, alive = Paths(root).logs / f"{name}.log", partial(services.runs, name)
            wait_until_answers(f"{address}/health", name, alive=alive, log=log)
        catch_up(root)
        mend_runs(root, services.prefect_api)
        _deploy(services)
        if not services.runs("worker"):
            pool = ["--pool", "modelyard", "--limit", "1"]
            services.start("worker", ["prefect", "worker", "start", *pool], patient=True)
    return services


def stop(root: Path) -> list[str]:
    """Stops the services and every product's server; returns the names of those that ran."""
    services = Services.load(root)
    # The worker first: its runs can then still report how they ended.
    stopped = [name for name in ("worker", "mlflow", "prefect") if services.stop(name)]
    Paths(root).services.unlink(missing_ok=True)
    served = [f"server of {state.product}" for state in all_states(root) if stop_serving(state)]
    return [*stopped, *served]


def environment(root: Path, prefect_api: str = "") -> dict[str, str]:
    """The environment of the services and of their runs: this project, its own Prefect."""
    values = {
        **chosen_environment(os.environ),
        **prefect_environment(root),
        "MODELYARD_ROOT": str(root),
        # Not an argument of the server's, which every user of the machine can read: it may hold a password.
        "MLFLOW_BACKEND_STORE_URI": Paths(root).tracking_uri,
        # Runs start in a folder of their own and import the flows from here.
        "PYTHONPATH": os.pathsep.join(map(str, dict.fromkeys((root.resolve(), _CODE, _STARTUP)))),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    if prefect_api:
        values["PREFECT_API_URL"] = prefect_api
    return values


def next_free_port(first: int, what: str) -> int:
    """`first` or the next port that is free; says so when it is another."""
    for port in range(first, first + _PORTS_TO_TRY):
        if is_free(port):
            if port != first:
                say(f"ui  port {first} is in use; {what} listens on {port}")
            return port
    raise PipelineError(
        f"ports {first} to {first + _PORTS_TO_TRY - 1} are all in use",
        expected="a free port",
        next_step=f"choose another: make ui ARGS='--{what}-port 9000'",
    )


def _start_mlflow(services: Services, first: int) -> None:
    # Late, because it imports MLflow. The server itself would migrate a new database in place.
    from pipeline.release.mlflow_database import ensure_database

    port = next_free_port(first, "mlflow")
    root = services.root
    ensure_database(root)
    command = [
        "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1",
        "--default-artifact-root", Paths(root).artifact_uri,
    ]  # fmt: skip
    services.mlflow = f"http://{HOST}:{port}"
    services.start("mlflow", command)


def _deploy(services: Services) -> None:
    """Copies prefect.yaml to the server, in a process of its own that imports Prefect."""
    log = Paths(services.root).logs / "deploy.log"
    with log.open("wb") as output:
        code = subprocess.run(
            [sys.executable, "-m", "flows.orchestration.deployments"],
            cwd=services.root,
            env=environment(services.root, services.prefect_api),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code:
        raise PipelineError(
            "prefect.yaml could not be deployed",
            expected="its deployments on the project's Prefect server",
            next_step=f"read {log}, mend what it names, run `make ui` again",
        )
