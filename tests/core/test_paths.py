"""A database is opened where it lies, whatever signs its path has, and nothing is made elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.paths import sqlite_url
from tests.support.repository import REPOSITORY

MAKE = """
import sys
from pathlib import Path
from pipeline.release.registry import Registry
print(Registry(Path(sys.argv[1]), "x").champion())
"""


def test_a_plain_path_gives_the_address_that_everybody_writes() -> None:
    assert sqlite_url(Path("/a b/내.db")) == "sqlite:////a b/내.db"
    assert sqlite_url(Path("/a/b.db"), "aiosqlite") == "sqlite+aiosqlite:////a/b.db"


@pytest.mark.parametrize(
    "name", [pytest.param("a?b=c", marks=pytest.mark.soak), "내 (2)/50% off & it's/a%20b #1?c=d,e"]
)
def test_mlflow_writes_its_database_into_any_folder_and_nowhere_else(
    tmp_path: Path, name: str
) -> None:
    root, elsewhere = tmp_path / name, tmp_path / "elsewhere"
    root.mkdir(parents=True)
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(root)],
        cwd=elsewhere,
        env=chosen_environment(os.environ) | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "None", done.stderr
    assert [path.name for path in root.iterdir()] == ["mlflow.db"]
    assert list(elsewhere.iterdir()) == []
