"""MLflow's database of the project: made whole or not at all, and kept right when its folder moves."""

import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import mlflow

from pipeline.core.databases import MLFLOW_VARIABLE, team_database
from pipeline.core.errors import ReleaseError
from pipeline.core.files import atomic_path, sync
from pipeline.core.paths import Paths, sqlite_url
from pipeline.release.alembic_settings import accept_percent_signs
from pipeline.release.mlflow_records import note_team_database, require_answer

_BUSY_SECONDS = 5.0
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns that hold absolute addresses."""


def ensure_database(root: Path) -> None:
    """Creates `mlflow.db` if there is none; one of a folder that was moved or copied is brought to its files.

    A team's database (`MODELYARD_MLFLOW_DATABASE`) is only asked whether it answers: MLflow makes its
    tables, and addresses in it may be other projects'.

    Raises:
        ReleaseError: the database is locked or damaged, or does not answer.
    """
    accept_percent_signs()
    if team := team_database(MLFLOW_VARIABLE, postgresql="psycopg2", sqlite="pysqlite"):
        require_answer(team)
        note_team_database(root, team)
        return
    target = Paths(root).mlflow_database
    if target.exists() and not target.stat().st_size:
        target.unlink(
            missing_ok=True
        )  # whoever looks into a database that is not there makes an empty file
    if not target.exists():
        _create(root, target)
        return
    try:
        _follow_move(root)
    except sqlite3.Error as error:
        raise ReleaseError(
            f"{target.name} cannot be used: {error}",
            expected="a database that MLflow has made and no other program holds locked",
            next_step=f"close what has it open, or restore {target} from a copy; moved away, a new one is made",
        ) from error


def _create(root: Path, target: Path) -> None:
    """Creates the database under another name, then renames it.

    MLflow creates it in place, and a kill meanwhile leaves a database that it never opens again.
    """
    with tempfile.TemporaryDirectory(prefix=".mlflow.", dir=root) as folder:
        made = Path(folder) / target.name
        if empty_database().is_file():
            shutil.copyfile(empty_database(), made)
        else:
            _make(made)
        with closing(sqlite3.connect(made)) as database, database:
            # MLflow takes the working folder of whoever made the database.
            runs = (root.resolve() / "mlruns" / "0").as_uri()
            database.execute("UPDATE experiments SET artifact_location = ?", (runs,))
        sync(made)
        # A link, not a move: if another process was faster, its database stays.
        with suppress(FileExistsError):
            target.hardlink_to(made)
        sync(root)


def _make(database: Path) -> None:
    with quiet_mlflow():
        mlflow.MlflowClient(tracking_uri=sqlite_url(database.resolve())).search_experiments()


def empty_database() -> Path:
    """Where the environment keeps an empty database of its MLflow, which is copied for each project."""
    return Path(sys.prefix) / "share" / "modelyard" / f"mlflow-{mlflow.__version__}.db"


def prepare_empty_database() -> None:
    """Makes the environment's empty database where there is none: MLflow takes seconds to make one."""
    if empty_database().exists():
        return
    empty_database().parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(empty_database()) as temporary:
        _make(temporary)


def _follow_move(root: Path) -> None:
    """Replaces the former folder in every address.

    MLflow writes the absolute address of each file, and knows no way to change it: a copy would read
    and write in the folder that it was copied from.
    """
    now = Paths(root).artifact_uri
    database = sqlite3.connect(Paths(root).mlflow_database, timeout=_BUSY_SECONDS)
    with closing(database), database:
        for old in _former_folders(database, now):
            for table, column in _ADDRESSES:
                # The names are constants of this file.
                database.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?)"  # noqa: S608
                    f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (now, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )


def _former_folders(database: sqlite3.Connection, now: str) -> list[str]:
    """The artifact folders of our experiments that are not this project's."""
    asked = "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE ?"
    found = [str(row[0]) for row in database.execute(asked, ("file:%/mlartifacts",))]
    return [folder for folder in found if folder != now]


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Silences MLflow, which warns of its own libraries and of files that are not there yet."""
    # A progress bar for five small files would break up the lines of a build.
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


if __name__ == "__main__":
    prepare_empty_database()
