"""Many processes open worktrees at once: none loses its own, and none is left."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flows.execution.git import git
from tests.flows.execution.test_workspace import write_project
from tests.support.repository import REPOSITORY, commit_all

WORK = """
import sys, time
from pathlib import Path
from flows.execution.workspace import open_workspace, prune_worktrees
from pipeline.core.errors import PipelineError
from pipeline.core.params import parse_params
from tests.support.repository import parameter_values

root, name, rounds, params = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), parse_params(parameter_values())
print("ready", flush=True)
sys.stdin.readline()
for _ in range(rounds):
    if name == "prune":
        prune_worktrees(root)
        continue
    try:
        with open_workspace(root, name=name, params=params) as folder:
            inside = folder / "mine"
            inside.mkdir()  # fails where another works here
            for _ in range(5):
                assert inside.is_dir() and (folder / "build.yaml").is_file(), "lost"
                assert (folder / "Makefile").is_file() and (folder / "data/.gitkeep").is_file(), "lost"
                time.sleep(0.01)
            inside.rmdir()
        print("opened", flush=True)
    except PipelineError as error:
        assert "already running" in str(error), error
        print("refused", flush=True)
"""


def race(root: Path, *, rounds: int) -> "Counter[str]":
    """Four processes at once: two of one name, one of another, one that prunes. How rounds ended."""
    command = [sys.executable, "-c", WORK, str(root)]
    names = {"same": rounds, "same ": rounds, "other": rounds, "prune": 4 * rounds}
    processes = [
        subprocess.Popen(
            [*command, name.strip(), str(count)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, count in names.items()
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(*process.communicate(), process.returncode) for process in processes]
    assert [(said, code) for _, said, code in ended if code or said] == []
    return Counter(line for output, _, _ in ended for line in output.split())


def assert_nothing_is_left(root: Path) -> None:
    assert [*(root / ".modelyard" / "worktrees").glob("*")] == []
    assert len(git(root, "worktree", "list").splitlines()) == 1


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "clone")
    commit_all(root)
    return root


def test_no_worktree_is_lost_where_others_open_and_prune(root: Path) -> None:
    ended = race(root, rounds=3)
    assert ended["opened"] + ended["refused"] == 9
    assert ended["opened"] >= 3
    assert_nothing_is_left(root)


@pytest.mark.soak
def test_no_worktree_is_lost_in_25_rounds(root: Path) -> None:
    ended = race(root, rounds=25)
    assert ended["opened"] + ended["refused"] == 75
    assert ended["opened"] >= 25
    assert_nothing_is_left(root)
