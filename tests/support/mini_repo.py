"""A small git repository with four quick stages that use the real `run_stage`, for tests of flows.

    collect → validate → label → gate

The stages are the files of tests/support/mini_stages. Take it where a test needs DVC, git or Prefect
around stages that end at once; tests of what stages compute take a workspace (tiny_workspace.py).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from pipeline.core.chosen_environment import chosen_environment
from tests.support.repository import PARAMS, PRODUCT, REPOSITORY

_DAG = {
    "collect": (["data"], ["records.txt"], []),
    "validate": (["artifacts/collect/records.txt"], ["records.txt"], ["curve.csv"]),
    "label": (["artifacts/validate/records.txt"], ["records.txt"], []),
    "gate": (["artifacts/label/records.txt"], ["scorecard.json", "verdict.json", "bundle"], []),
}


def make_mini_repo(root: Path, *, text: str = "one two three") -> Path:
    """Write, initialise and commit the repository at `root`; nothing is built yet."""
    real = [path.name for path in (REPOSITORY / "pipeline").glob("*.py") if path.stem != "__init__"]
    library = shutil.ignore_patterns("__pycache__", *real)
    shutil.copytree(REPOSITORY / "pipeline", root / "pipeline", ignore=library)
    for file in (PARAMS, REPOSITORY / ".gitignore", REPOSITORY / ".dvcignore"):
        shutil.copy(file, root / file.name)
    (root / "products").mkdir()
    shutil.copy(PRODUCT, root / "products" / "movie-reviews.yaml")
    for stage in _DAG:
        shutil.copy(Path(__file__).parent / "mini_stages" / f"{stage}.py", root / "pipeline")
    for folder in ("data", "annotations", "splits"):
        (root / folder).mkdir()
        (root / folder / ".gitkeep").touch()
    (root / "data" / "text.txt").write_text(text)
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": _dag()}, sort_keys=False))
    for command in (
        ["git", "init", "-q", "-b", "main"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        ["git", "add", "."],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=root, check=True, env=mini_environment(root))
    return root


def mini_environment(root: Path, **more: str) -> dict[str, str]:
    """Environment in which `python -m flows build` works on the repository at `root`."""
    return chosen_environment(os.environ) | {
        "PYTHONPATH": str(REPOSITORY),
        "DVC_SITE_CACHE_DIR": str(root / ".modelyard" / "dvc"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def set_parameter(root: Path, dotted: str, value: object) -> None:
    """Change one value of params.yaml."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    section, key = dotted.split(".")
    values[section][key] = value
    (root / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))


def _dag() -> dict[str, object]:
    return {
        name: {
            "cmd": f"python -m pipeline.{name}",
            "deps": deps,
            "params": [{"build.yaml": ["compute.seed", name]}, {"code.lock.json": [name]}],
            "outs": [f"artifacts/{name}/{out}" for out in outs],
            "metrics": [f"artifacts/{name}/metrics.json"],
            **({"plots": [f"artifacts/{name}/{plot}" for plot in plots]} if plots else {}),
        }
        for name, (deps, outs, plots) in _DAG.items()
    }
