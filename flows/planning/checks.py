"""Checks before a build starts: git, packages, disk. Each raises one message."""

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipeline.core.errors import PipelineError

NEEDED_BYTES = 2_000_000_000
"""Disk that a full build of the default needs: outputs, DVC's copies, checkpoints, MLflow."""

PACKAGES = (
    "dvc",
    "prefect",
    "mlflow",
    "torch",
    "transformers",
    "tokenizers",
    "onnx",
    "onnxruntime",
    "sklearn",
    "pyarrow",
)


def check_before_build(root: Path) -> None:
    """Raises PipelineError where git, a package or disk space is missing."""
    check_git(root)
    check_packages(PACKAGES)
    check_disk(root, needed=NEEDED_BYTES)


def check_git(root: Path) -> None:
    """Raises PipelineError where the folder is no git repository with a commit."""
    if shutil.which("git") is None:
        raise PipelineError(
            "git is not installed",
            expected="git, which DVC and the worktrees of builds need",
            next_step="install the system package `git`",
        )
    head = subprocess.run(
        ["git", "rev-parse", "--verify", "HEAD"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if head.returncode:
        raise PipelineError(
            f"{root} is not a git repository with a commit ({head.stderr.strip()})",
            expected="a clone, or a folder in which `git init` and a first commit were made",
            next_step="git init && git add . && git commit -m start",
        )


def check_packages(names: Sequence[str]) -> None:
    """Raises PipelineError where a package is not installed; none is imported."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise PipelineError(
            f"not installed: {', '.join(missing)}",
            expected="the packages for training and orchestration",
            next_step="run `make install`, which sets up .venv again",
        )


def check_disk(folder: Path, *, needed: int) -> None:
    """Raises PipelineError where less than `needed` bytes are free at `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PipelineError(
            f"{free / 1e6:,.0f} MB are free in {folder}",
            expected=f"{needed / 1e6:,.0f} MB: {(needed - free) / 1e6:,.0f} MB are missing",
            next_step="free some space (`dvc gc -w` drops old versions of outputs)",
        )
