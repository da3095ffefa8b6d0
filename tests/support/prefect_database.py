"""Prefect's database, made once for all tests: it takes longer than most of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from tests.support.repository import REPOSITORY

_DATABASE = Path(".modelyard/prefect/prefect.db")
_PREPARE = """
import sys
from pathlib import Path
from flows.orchestration.prefect_server import prepare_database
prepare_database(Path(sys.argv[1]))
print("prefect" in sys.modules)
"""


def prepare(root: Path) -> str:
    """Run `prepare_database` in a process of its own; returns what it printed, and whether Prefect was imported."""
    return subprocess.run(
        [sys.executable, "-c", _PREPARE, str(root)],
        cwd=REPOSITORY,
        env=chosen_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def database_of(root: Path) -> Path:
    """Where a project keeps it."""
    return root / _DATABASE


def put_database(source: Path, root: Path) -> None:
    """Give a project the database that `make install` would have left."""
    database_of(root).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, database_of(root))
