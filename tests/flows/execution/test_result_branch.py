"""Results on a branch: on top of what is there, and never in the way of anybody."""

from pathlib import Path

import pytest

from flows.execution.commit import Commit, newest_commit
from flows.execution.git import ask_git, git
from flows.execution.result_branch import check_branch, commit_results
from pipeline.core.errors import PipelineError
from tests.support.repository import commit_all

BRANCH = "retrain/main"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("x = 1\n")
    commit_all(tmp_path)
    return tmp_path


def committed(root: Path, built: Commit, text: str, product: str = "tickets") -> str:
    files = {"dvc.lock": text, f"retrain/{product}/decision.json": f"{text}\n"}
    return commit_results(root, BRANCH, built, files=files, message="Retrain")


def changed(root: Path, name: str, text: str) -> Commit:
    """A new commit of what is checked out, with one more file."""
    (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", name)
    return newest_commit(root)


def test_each_commit_has_the_built_code_and_the_results_of_all_products(root: Path) -> None:
    committed(root, newest_commit(root), "one")
    newer = changed(root, "code.py", "x = 2\n")
    last = committed(root, newer, "two", product="other")
    assert git(root, "show", f"{last}:code.py") == "x = 2\n"
    assert git(root, "show", f"{last}:retrain/tickets/decision.json") == "one\n"
    assert git(root, "show", f"{last}:dvc.lock") == "two"
    assert git(root, "rev-list", "--count", f"{newer.hash}..{BRANCH}").strip() == "2"
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "log", "-1", "--format=%an <%ae>", last).strip() == (
        "Modelyard <modelyard@localhost>"
    )


def test_a_branch_ahead_of_the_built_commit_keeps_what_it_has(root: Path) -> None:
    built = newest_commit(root)
    changed(root, "more.py", "y = 1\n")
    git(root, "branch", BRANCH)
    last = committed(root, built, "one")
    assert git(root, "show", f"{last}:more.py") == "y = 1\n"


def test_a_branch_with_other_work_of_its_own_is_left_alone(root: Path) -> None:
    start = newest_commit(root)
    git(root, "checkout", "-q", "-b", BRANCH)
    changed(root, "theirs.py", "z = 1\n")
    git(root, "checkout", "-q", start.branch)
    built = changed(root, "code.py", "x = 2\n")
    before = git(root, "rev-parse", BRANCH)
    with pytest.raises(PipelineError, match=r"its own theirs\.py and lacks commit"):
        committed(root, built, "one")
    assert git(root, "rev-parse", BRANCH) == before


def test_no_hook_runs(root: Path) -> None:
    for name in ("reference-transaction", "post-commit", "pre-commit", "commit-msg"):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
        hook.chmod(0o755)
    committed(root, newest_commit(root), "one")
    assert not (root / "ran").exists()


def test_a_folder_of_a_larger_repository_has_its_results_below_itself(root: Path) -> None:
    folder = root / "project"
    folder.mkdir()
    built = changed(folder, "params.yaml", "")
    last = committed(folder, built, "one")
    assert git(root, "show", f"{last}:project/dvc.lock") == "one"
    assert git(root, "show", f"{last}:code.py") == "x = 1\n"
    newer = changed(folder, "params.yaml", "a: 1")
    assert git(root, "show", f"{committed(folder, newer, 'two')}:project/dvc.lock") == "two"


@pytest.mark.parametrize("name", ["a..b", "-d", "with blank", "x.lock"])
def test_a_name_that_git_does_not_take_is_refused(root: Path, name: str) -> None:
    with pytest.raises(PipelineError, match="as the name of a branch"):
        check_branch(root, name)


def test_a_branch_checked_out_in_another_worktree_is_refused(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", BRANCH, str(tmp_path / "second"))
    with pytest.raises(PipelineError, match="which is checked out"):
        committed(root, newest_commit(root), "one")
    assert ask_git(root, "show", f"{BRANCH}:dvc.lock").returncode
