"""The commit that a retraining builds, and its files before a worktree is made."""

from pathlib import Path

import pytest

from flows.execution.commit import Commit, files_left_out, newest_commit, written_files
from flows.execution.git import git
from flows.planning.resolution import Variation
from pipeline.core.errors import PipelineError
from tests.support.repository import commit_all


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    for name in ("params.yaml", "product.yaml", "profiles/quick.yaml", "code.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"name: {name}\r\n", newline="")
    commit_all(root)
    return root


def test_the_written_files_are_those_of_the_commit_to_the_byte(root: Path) -> None:
    (root / "params.yaml").write_text("edited")
    (root / "profiles" / "new.yaml").write_text("new")
    with written_files(root, newest_commit(root), Variation()) as (files, _):
        found = {p.relative_to(files).as_posix(): p.read_bytes() for p in files.rglob("*.*")}
    assert found == {
        name: f"name: {name}\r\n".encode()
        for name in ("params.yaml", "product.yaml", "profiles/quick.yaml")
    }


def test_the_index_of_the_user_is_not_touched(root: Path) -> None:
    (root / "staged.py").write_text("x = 1")
    git(root, "add", "staged.py")
    before = (root / ".git" / "index").read_bytes()
    with written_files(root, newest_commit(root), Variation()):
        pass
    assert (root / ".git" / "index").read_bytes() == before


def test_a_product_file_outside_the_project_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("product:")
    variation = Variation(product=str(tmp_path / "mine.yaml"))
    with (
        pytest.raises(PipelineError, match="which is not in this project"),
        written_files(root, newest_commit(root), variation),
    ):
        pass


def test_what_is_left_out_is_named_but_for_data(root: Path) -> None:
    commit = newest_commit(root)
    for name in ("code.py", "notes.txt", "data/rows.csv", "annotations/a.csv"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("new")
    assert files_left_out(root, commit) == ["code.py", "notes.txt"]
    assert files_left_out(root, Commit(branch="old", hash="0" * 40)) == []


def test_a_fetched_branch_and_a_detached_head_are_commits_too(root: Path) -> None:
    here = newest_commit(root)
    git(root, "update-ref", "refs/remotes/origin/steady", here.hash)
    assert newest_commit(root, "origin/steady") == Commit(branch="origin/steady", hash=here.hash)
    git(root, "checkout", "-q", "--detach")
    assert str(newest_commit(root)) == f"commit {here.hash[:10]} of a detached HEAD"
