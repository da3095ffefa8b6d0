"""Prefect's database is made beforehand, and one that is there stays."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def prepare(root: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", CODE, str(root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


CODE = """
import sys
from pathlib import Path
from flows.prefect_server import prepare_database
prepare_database(Path(sys.argv[1]))
print("prefect" in sys.modules)
"""


def test_the_database_is_made_once(tmp_path: Path) -> None:
    database = tmp_path / ".modelyard/prefect/prefect.db"
    assert prepare(tmp_path).splitlines() == ["Preparing Prefect's database …", "True"]
    made = database.read_bytes()
    assert made.startswith(b"SQLite format 3")
    assert prepare(tmp_path) == "False\n"
    assert database.read_bytes() == made
