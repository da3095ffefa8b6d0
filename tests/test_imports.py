"""Every import contract can fail: one forbidden import for each, in a copy of the code."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

# Contract → a module and an import that the contract forbids it.
VIOLATIONS = {
    "layers": ("pipeline/prune.py", "import pipeline.distill"),
    "core": ("pipeline/core/errors.py", "import numpy"),
    "tables": ("pipeline/data/__init__.py", "import torch"),
    "models": ("pipeline/models/__init__.py", "import pipeline.text"),
    "training": ("pipeline/training/__init__.py", "import pipeline.data"),
    "small": ("pipeline/serving/__init__.py", "import mlflow"),
    "server": ("pipeline/runtime/__init__.py", "import starlette"),
    "release": ("pipeline/release/__init__.py", "import pipeline.models"),
    "registry": ("pipeline/release/__init__.py", "import mlflow"),
    "monitoring": ("pipeline/monitoring/__init__.py", "import mlflow"),
    "stages": ("pipeline/gate.py", "import prefect"),
    "flows": ("flows/planning/dag.py", "import pipeline.prune"),
}


def contracts() -> dict[str, str]:
    """Contract → its name, as .importlinter has them."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return {
        section.rpartition(":")[2]: parser[section]["name"]
        for section in parser.sections()
        if section.startswith("importlinter:contract:")
    }


def test_every_contract_notices_its_violation(tmp_path: Path) -> None:
    assert set(VIOLATIONS) == set(contracts())
    for package in ("pipeline", "flows"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for module, statement in VIOLATIONS.values():
        with (tmp_path / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "300", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    summary = " ".join(done.stdout.split())
    kept = [name for name in contracts().values() if not re.search(f"{name} BROKEN", summary)]
    assert done.returncode != 0
    assert not kept, f"not broken by its violation: {kept}\n{done.stdout[-3000:]}"


def test_every_library_folder_has_its_place_in_the_layers() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    layers = set(re.findall(r"[\w.]+", parser["importlinter:contract:layers"]["layers"]))
    folders = {f"pipeline.{path.parent.name}" for path in ROOT.glob("pipeline/*/__init__.py")}
    assert folders <= layers
