"""Workspaces that are made once a session and handed out as copies.

Which workspace to take, from the quickest to the slowest:

| module | what is there | take it for |
|---|---|---|
| `small_reviews` | a table of reviews after validate and label, or prepare | the data stages |
| `tiny_workspace` | random models in place of trained ones; export and quantize have run | the stages from export on |
| `trained_workspace` | the training stages have run on a task that seconds teach | the training stages |
| `whole_line` | every stage in one process, for a product of the test's own | behaviour of a kind of product |
| `mini_repo` | a git repository with four stages that end at once | flows, DVC, Prefect |
| `whole_repo` | a clone of this repository, built through its flows | end to end |
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def session_copy(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A copy of the folder that `make` fills once a session; a test may write into it."""
    copy = factory.mktemp(name) / "copy"
    shutil.copytree(session_folder(factory, name, make), copy)
    return copy


def session_folder(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """The folder that `make` fills once a session, for all workers; no test may write into it."""
    session = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    made = session / f"made-{name}"
    whole = made.with_suffix(".whole")
    with FileLock(made.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(made, ignore_errors=True)  # left by a test in which `make` failed
            make(made)
            whole.touch()
    return made
