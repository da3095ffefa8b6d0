"""Asks MLflow's database without MLflow, which takes seconds to import: does it answer, what does it name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.databases import MLFLOW_VARIABLE, name_of_database, without_password
from pipeline.core.errors import ReleaseError
from pipeline.core.files import write_json
from pipeline.core.paths import Paths

Answer = TypeVar("Answer")
_SECONDS = 5
_ACTIVE_RUNS = "SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active'"
_ACTIVE_MODELS = "SELECT model_id FROM logged_models WHERE lifecycle_stage = 'active'"


def require_answer(address: str) -> None:
    """Raises ReleaseError where a database does not let us in; MLflow itself would try for minutes."""
    _asked(address, lambda connection: None)


def active_names(address: str) -> set[str]:
    """Names of the runs and models in a database of MLflow that are not deleted.

    Raises:
        ReleaseError: it does not answer, or has no table of runs.
    """

    def ask(connection: Connection) -> set[str]:
        named = {row[0] for row in connection.execute(text(_ACTIVE_RUNS))}
        # A database of an older MLflow has no models.
        if inspect(connection).has_table("logged_models"):
            named |= {row[0] for row in connection.execute(text(_ACTIVE_MODELS))}
        return named

    return _asked(address, ask)


def note_team_database(root: Path, address: str) -> None:
    """Remembers by a name that a team's database has records of this folder's files."""
    file = _noted(root)
    known = noted_databases(root)
    if (name := name_of_database(address)) not in known:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, sorted({*known, name}))


def noted_databases(root: Path) -> set[str]:
    """Names of the team's databases that ever had records of this folder's files."""
    file = _noted(root)
    return set(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else set()


def _noted(root: Path) -> Path:
    return Paths(root).state / "mlflow_databases.json"


def _asked(address: str, question: Callable[[Connection], Answer]) -> Answer:
    seconds = "timeout" if address.startswith("sqlite") else "connect_timeout"
    try:
        engine = create_engine(address, poolclass=NullPool, connect_args={seconds: _SECONDS})
        with engine.connect() as connection:
            return question(connection)
    except ImportError as error:
        raise ReleaseError(
            f"{MLFLOW_VARIABLE} needs {error.name}, which is not installed",
            expected="a driver of the database",
            next_step=".venv/bin/python -m pip install psycopg2-binary",
        ) from error
    except SQLAlchemyError as error:
        # The driver's own words, not SQLAlchemy's, which repeat the question.
        reason = str(error.__cause__ or type(error).__name__).strip().splitlines()[0]
        raise ReleaseError(
            f"MLflow's database {without_password(address)} does not answer: {reason}",
            expected=f"what {MLFLOW_VARIABLE} names to let this user in",
            next_step=f"start it, or correct or unset {MLFLOW_VARIABLE}",
        ) from None
