"""MLflow and Prefect keep their records in a team's database where two variables name one."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from pipeline.core.databases import MLFLOW_VARIABLE, PREFECT_VARIABLE
from tests.behaviour.test_the_build_outlives_its_orchestrator import BUILD, STAGES
from tests.support.mini_repo import make_mini_repo, mini_environment
from tests.support.postgresql import PASSWORD, find_postgresql, running_postgresql


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_mini_repo(tmp_path / "project")


def build(root: Path, mlflow: str, prefect: str) -> str:
    """A build whose records go to these databases; returns what it printed."""
    own = mini_environment(root, **{MLFLOW_VARIABLE: mlflow, PREFECT_VARIABLE: prefect})
    done = subprocess.run(BUILD, cwd=root, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def found(address: str, query: str) -> Counter[tuple[str, ...]]:
    with create_engine(address, poolclass=NullPool).connect() as connection:
        return Counter(tuple(row) for row in connection.execute(text(query)))


def must_have_the_records(root: Path, mlflow: str, prefect: str) -> None:
    assert found(mlflow, "select name, status from runs") == Counter(
        (name, "FINISHED") for name in ["build", *STAGES]
    )
    assert found(prefect, "select state_type from flow_run") == Counter([("COMPLETED",)])
    tasks = found(prefect, "select state_type from task_run")
    assert tasks == Counter({("COMPLETED",): len(STAGES)})
    assert not (root / "mlflow.db").exists()
    assert not (root / ".modelyard/prefect/prefect.db").exists()
    assert not list((root / ".modelyard" / "untold").iterdir())


@pytest.mark.soak
def test_the_records_of_a_build_are_where_the_variables_say(
    root: Path, tmp_path: Path, prefect_database: Path
) -> None:
    mlflow, prefect = (f"sqlite:///{tmp_path / name}.db" for name in ("mlflow's", "prefect's"))
    (tmp_path / "prefect's.db").write_bytes(prefect_database.read_bytes())
    build(root, mlflow, prefect)
    must_have_the_records(root, mlflow, prefect)


@pytest.mark.soak
def test_a_build_is_recorded_in_postgresql(root: Path) -> None:
    if (programs := find_postgresql()) is None:
        pytest.skip("no PostgreSQL on this machine")
    with running_postgresql(programs) as server:
        with create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT").connect() as admin:
            for name in ("mlflow", "prefect"):
                admin.execute(text(f"create database {name}"))
        addresses = f"{server}/mlflow", f"{server}/prefect"
        said = build(root, *addresses)
        (root / "data" / "text.txt").write_text("one two three")  # all cached: tells what is left
        for _ in range(3):
            if list((root / ".modelyard" / "untold").iterdir()):
                said += build(root, *addresses)
        must_have_the_records(root, *addresses)
        assert PASSWORD not in said
        logs = [path.read_text() for path in (root / ".modelyard" / "logs").rglob("*.log")]
        assert not any(PASSWORD in log for log in logs)
