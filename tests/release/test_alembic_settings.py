"""MLflow's migrations are found in a path with a `%`, in this process and in MLflow's own server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlflow.store import db_migrations

from flows.ui import environment
from tests.support.repository import REPOSITORY

HEADS = """
import sys
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
config = _get_alembic_config("sqlite:///x", alembic_dir=sys.argv[1])
print(len(ScriptDirectory.from_config(config).get_heads()))
"""


def test_migrations_below_a_path_with_a_percent_sign_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "50% off" / "a%20b" / "db_migrations"
    shutil.copytree(Path(next(iter(db_migrations.__path__))), folder)
    patched = (
        "from pipeline.release.alembic_settings import accept_percent_signs as accept\n"
        "accept('/50% off'); accept('/50% off')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", patched + HEADS, str(folder)],
        cwd=REPOSITORY,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.strip() == "1", found.stderr


def test_the_services_of_the_ui_start_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sitecustomize; print(sitecustomize.__file__)"]
    own = environment(REPOSITORY)
    said = subprocess.check_output(command, cwd=tmp_path, env=own, text=True).strip()
    assert said == str(REPOSITORY / "flows" / "tracking" / "startup" / "sitecustomize.py")
    assert own["PYTHONPATH"].split(os.pathsep)[0] == str(REPOSITORY)
