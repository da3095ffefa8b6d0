"""Keeps the verdict of a build that ended because nothing can be told from the texts."""

import shutil
from pathlib import Path

from pipeline.core.files import atomic_path
from pipeline.core.paths import Paths


def bring_verdict(workspace: Path, root: Path, stage: str) -> Path:
    """Copies a stage's verdict.json to `.modelyard/no_model.json` of the main root; returns that path.

    A worktree, in which a build with other parameters runs, may be gone when somebody wants to read it.
    """
    place = _place(root)
    with atomic_path(place) as temporary:
        shutil.copyfile(Paths(workspace).read(stage, "verdict.json"), temporary)
    return place


def forget_verdict(root: Path) -> None:
    """Removes the kept verdict: a later build went on to a model."""
    _place(root).unlink(missing_ok=True)


def _place(root: Path) -> Path:
    return Paths(root).state / "no_model.json"
