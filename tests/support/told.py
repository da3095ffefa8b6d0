"""What Prefect and MLflow know of a project's builds, read from their databases, and a lock on one."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from mlflow import MlflowClient

from pipeline.core.paths import Paths


def ask(database: Path, question: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute(question).fetchall()


# A run that a schedule has planned is there too, and may be the newest.
RUNS = """
select flow_run.state_type,
       (select group_concat(name || ' ' || state_type) from task_run where flow_run_id = flow_run.id)
from flow_run where state_type != 'SCHEDULED' order by created
"""
NEWEST_RUN = """
select state_type from flow_run where state_type != 'SCHEDULED' order by created desc limit 1
"""
ITS_TASKS = """
select name, state_type from task_run
where flow_run_id = (
    select id from flow_run where state_type != 'SCHEDULED' order by created desc limit 1
)
order by created
"""


def in_prefect(root: Path) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The state of the newest flow run that has begun, and names and states of its tasks."""
    database = root / ".modelyard/prefect/prefect.db"
    (run,) = ask(database, NEWEST_RUN)
    return run, ask(database, ITS_TASKS)


def in_mlflow(root: Path) -> Counter[tuple[str, ...]]:
    return Counter(ask(root / "mlflow.db", "select name, status from runs"))


def mlflow_client(root: Path) -> MlflowClient:
    """A client of the project's MLflow; both addresses are given, for MLflow remembers the last ones."""
    address = Paths(root).tracking_uri
    return MlflowClient(tracking_uri=address, registry_uri=address)


def points_of_curve(root: Path) -> int:
    """Points of the longest loss curve that MLflow has."""
    question = "select max(n) from (select count(*) as n from metrics where key = 'loss' group by run_uuid)"
    ((count,),) = ask(root / "mlflow.db", question)
    return int(count)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Holds the database as a person does who has it open in another program."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def kill_service(root: Path, name: str) -> None:
    """Ends a service of `make ui` and what keeps it by SIGKILL: nothing starts it again."""
    noted = json.loads((root / ".modelyard" / "ui.json").read_text())
    keeper = psutil.Process(noted["pids"][name]["pid"])
    for process in [keeper, *keeper.children(recursive=True)]:
        process.kill()
