"""soak: a real distillation during which Prefect's and MLflow's servers die and MLflow's database is locked."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.execution.network import free_port
from flows.planning.dag import load_dag
from tests.support.prefect_database import put_database
from tests.support.repository import REPOSITORY
from tests.support.told import ask, in_mlflow, in_prefect, kill_service, locked
from tests.support.whole_repo import BUILD, copy_repository, environment, run_build, stop

POINTS = """
select step from metrics join runs using (run_uuid)
where runs.name = 'distill' and metrics.key = 'loss' order by metrics.timestamp, step
"""
LOCKED_SECONDS = 90


@pytest.fixture(name="root")
def clone_with_a_long_distillation(prefect_database: Path, tmp_path: Path) -> Path:
    root = copy_repository(tmp_path / "clone")
    put_database(prefect_database, root)
    profile = root / "profiles" / "quickstart.yaml"
    text = profile.read_text()
    assert "distill.epochs: 2\n" in text
    profile.write_text(text.replace("distill.epochs: 2\n", "distill.epochs: 100\n"))
    return root


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_no_step_is_repeated_and_both_know_all_in_the_end(root: Path) -> None:
    port = free_port()
    ports = ["--prefect-port", str(free_port()), "--mlflow-port", str(free_port())]
    services = [sys.executable, "-m", "flows", "ui", *ports]
    subprocess.run(services, cwd=root, env=environment(port), check=True, capture_output=True)
    log = root / "build.log"
    try:
        with log.open("w") as stream:
            build = subprocess.Popen(
                BUILD, cwd=root, env=environment(port), stdout=stream, stderr=stream
            )
        while not distill_steps(root):
            assert build.poll() is None, log.read_text()
            time.sleep(0.2)
        kill_service(root, "prefect")
        time.sleep(5)
        kill_service(root, "mlflow")
        with locked(root / "mlflow.db"):
            before = distill_steps(root)
            time.sleep(LOCKED_SECONDS)
            assert build.poll() is None, "the distillation was too short for this test"
            assert distill_steps(root) > before
        assert build.wait() == 0, log.read_text()
        assert log.read_text().count("distill  started") == 1

        assert "cached" in run_build(root, port=port)
        steps = [int(str(step)) for (step,) in ask(root / "mlflow.db", POINTS)]
        assert steps == sorted(set(steps))
        # The last point is that of the last step, so none is missing after the lock.
        assert f"distill  {steps[-1]}/{steps[-1]}  100%" in log.read_text()
        stages = load_dag(REPOSITORY / "dvc.yaml").names
        assert {(name, "FINISHED") for name in ["build quickstart", *stages]} == set(
            in_mlflow(root)
        )
        run, tasks = in_prefect(root)
        assert run == ("COMPLETED",)
        assert {(name, "COMPLETED") for name in stages} <= set(tasks)
        assert not list((root / ".modelyard" / "untold").iterdir())
    finally:
        stop(root)


def distill_steps(root: Path) -> int:
    """The points of the curve that distill has written so far."""
    curves = (root / ".modelyard").rglob("artifacts/distill/curve.csv")
    return max((len(curve.read_text().splitlines()) - 1 for curve in curves), default=0)
