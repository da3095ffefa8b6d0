"""What is missing is said before a build starts."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.check import check_disk, check_git, check_packages, git_refuses
from flows.execution.git import git
from flows.execution.workspace import open_workspace
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.params import parse_params
from tests.support.repository import PARAMS, REPOSITORY, commit_all, parameter_values


def test_a_folder_that_is_no_git_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="not a git repository") as error:
        check_git(tmp_path)
    assert "git init" in error.value.next_step


def test_a_clone_of_another_user_gets_gits_own_advice(tmp_path: Path) -> None:
    said = (
        f"fatal: detected dubious ownership in repository at '{tmp_path}/my clone'\n"
        "To add an exception for this directory, call: …"
    )
    error = git_refuses(tmp_path, said)
    assert error.next_step == f"git config --global --add safe.directory '{tmp_path}/my clone'"
    assert "git init" not in str(error)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_a_clone_that_was_given_away_is_refused_until_git_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, home = tmp_path / "clone", tmp_path / "home"
    for folder in (clone, home):
        folder.mkdir()
    for file in (PARAMS, REPOSITORY / ".gitignore"):
        shutil.copyfile(file, clone / file.name)
    (clone / ".dvc").mkdir()
    (clone / ".dvc" / "config").touch()
    commit_all(clone)
    for path in (clone, *clone.rglob("*")):
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(PipelineError, match="belongs to another user") as error:
        check_git(clone)
    subprocess.run(
        shlex.split(error.value.next_step), env=chosen_environment(os.environ), check=True
    )
    check_git(clone)
    with open_workspace(clone, name="some", params=parse_params(parameter_values())) as folder:
        assert git(folder, "rev-parse", "HEAD") == git(clone, "rev-parse", "HEAD")


def test_where_git_knows_no_name_the_command_gives_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    (tmp_path / "unpacked").mkdir()
    with pytest.raises(PipelineError) as error:
        check_git(tmp_path / "unpacked")
    assert "-c user.name=me -c user.email=me@example.org commit" in error.value.next_step


def test_a_missing_package_is_named() -> None:
    with pytest.raises(PipelineError, match="no_such_package"):
        check_packages(["yaml", "no_such_package"])


def test_too_little_disk_says_how_much_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as error:
        check_disk(tmp_path, needed=10**18)
    assert "are missing" in error.value.expected
