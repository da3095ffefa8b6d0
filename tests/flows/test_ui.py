"""The user interface: its ports, its notes, and what prefect.yaml deploys."""

import os
import pkgutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule

from flows.execution.network import HOST
from flows.ui import Services, environment, next_free_port, stop
from pipeline.core.paths import Paths
from pipeline.core.process_identity import is_running
from tests.support.repository import REPOSITORY

PLAN = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())


@pytest.mark.parametrize("entry", PLAN["deployments"], ids=lambda entry: entry["entrypoint"])
def test_every_deployment_names_a_flow(entry: dict[str, str]) -> None:
    flow = pkgutil.resolve_name(entry["entrypoint"])
    assert entry["entrypoint"].endswith(f".{flow.name}")


def test_retrain_alone_has_a_schedule_and_it_is_a_valid_one() -> None:
    schedules = {
        entry["entrypoint"]: [schedule["cron"] for schedule in entry.get("schedules", [])]
        for entry in PLAN["deployments"]
    }
    (cron,) = schedules.pop("flows.orchestration.retrain_flow.retrain")
    assert CronSchedule(cron=cron, timezone="UTC").cron == cron
    assert not any(schedules.values())


def test_a_port_in_use_is_passed_over_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        assert next_free_port(taken, "mlflow") > taken
    assert f"port {taken} is in use" in capsys.readouterr().out


def test_a_service_is_detached_found_again_and_stopped_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    Services(tmp_path, prefect_api="http://127.0.0.1:1/api").start("worker", ["parent"])
    services = Services.load(tmp_path)
    assert services.runs("worker")
    assert (services.prefect_api, services.mlflow) == ("http://127.0.0.1:1/api", "")
    process = services.pids["worker"]
    assert os.getsid(process.pid) == process.pid
    assert stop(tmp_path) == ["worker"]
    assert not is_running(process)
    assert not Paths(tmp_path).services.exists()
    assert stop(tmp_path) == []


def test_runs_find_the_flows_from_any_folder(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "import flows.planning.dag; print(flows.planning.dag.__file__)"],
        cwd=tmp_path,
        env=environment(REPOSITORY),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(answer.stdout.strip()) == REPOSITORY / "flows" / "planning" / "dag.py"
