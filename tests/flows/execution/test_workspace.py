"""A workspace holds what the root holds, wherever the project and its data lie."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from configobj import ConfigObj

from flows.check import check_git, check_place
from flows.execution.git import git
from flows.execution.workspace import open_workspace, prune_worktrees
from pipeline.core.errors import DataError, PipelineError
from pipeline.core.files import sha256_tree
from pipeline.core.params import parse_params
from tests.support.repository import PARAMS, REPOSITORY, commit_all, parameter_values

PARAMETERS = parse_params(
    parameter_values() | {"compute": {**parameter_values()["compute"], "seed": 2}}
)
ROWS = "text,label\nfine thing,good\n"
Folders = dict[str, object]


def write_project(root: Path) -> Path:
    """Writes the files of a project that a workspace needs."""
    for file in (PARAMS, REPOSITORY / ".gitignore", REPOSITORY / ".gitattributes"):
        root.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, root / file.name)
    for name in ("data/.gitkeep", "annotations/.gitkeep", ".dvc/config", "Makefile", "old.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "clone")
    commit_all(root)
    return root


def opened(root: Path) -> dict[str, str]:
    """Opens a workspace twice; the texts of its files, which must have the root's data both times."""
    for _ in range(2):
        with open_workspace(root, name="some", params=PARAMETERS) as folder:
            for data in ("data", "annotations"):
                assert sha256_tree(folder / data) == sha256_tree(root / data)
            files = {
                path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
                for path in folder.rglob("*")
                if path.is_file()
            }
        assert not folder.exists()
    return files


LEDGER = f"{PARAMETERS.product.name}-0.csv"


def write_ledger(folder: Path, *lines: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / LEDGER).write_text("\n".join(["text,split", *lines]) + "\n")


def test_what_is_dealt_to_splits_in_it_is_known_in_the_root_whatever_the_end(root: Path) -> None:
    known, new = f"{'0' * 16},train", f"{'1' * 16},test"
    write_ledger(root / "splits", known)

    def build() -> None:
        with open_workspace(root, name="some", params=PARAMETERS) as folder:
            assert known in (folder / "splits" / LEDGER).read_text()
            write_ledger(folder / "splits", known, new)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()
    assert (root / "splits" / LEDGER).read_text().split() == ["text,split", known, new]


def test_it_has_changes_new_files_and_renames_and_its_own_parameters(root: Path) -> None:
    (root / "Makefile").write_text("changed")
    (root / "한글.py").write_text("new")
    git(root, "mv", "old.py", "renamed.py")
    files = opened(root)
    assert (files["Makefile"], files["한글.py"]) == ("changed", "new")
    assert "renamed.py" in files
    assert "old.py" not in files
    assert "seed: 2" in files["build.yaml"]


def link_the_folder(root: Path, disk: Path) -> None:
    shutil.rmtree(root / "data")
    (root / "data").symlink_to(disk)


def link_a_file(root: Path, disk: Path) -> None:
    (root / "data" / "tickets.csv").symlink_to(disk / "tickets.csv")


def link_as_dvc_does(root: Path, disk: Path) -> None:
    cached = root / ".dvc" / "cache" / "files" / "md5" / "ab" / "cd"
    cached.parent.mkdir(parents=True)
    shutil.copyfile(disk / "tickets.csv", cached)
    cached.chmod(0o444)
    (root / "data" / "tickets.csv").symlink_to(cached)


def link_relatively(root: Path, disk: Path) -> None:
    (root / "archive").mkdir()
    shutil.copyfile(disk / "tickets.csv", root / "archive" / "tickets.csv")
    (root / "data" / "tickets.csv").symlink_to("../archive/tickets.csv")


def link_within(root: Path, disk: Path) -> None:
    shutil.copyfile(disk / "tickets.csv", root / "data" / "first.csv")
    (root / "data" / "tickets.csv").symlink_to("first.csv")


def write_protect(root: Path, disk: Path) -> None:
    (root / "data" / "inner").mkdir()
    shutil.copyfile(disk / "tickets.csv", root / "data" / "tickets.csv")
    shutil.copyfile(disk / "tickets.csv", root / "data" / "inner" / "more.csv")
    for path in (*root.glob("data/**/*"), root / "data"):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.parametrize(
    "arrange",
    [
        *(link_the_folder, link_a_file, link_as_dvc_does),
        *(link_relatively, link_within, write_protect),
    ],
)
def test_data_that_lie_elsewhere_or_are_read_only_are_the_same_in_it(
    root: Path, tmp_path: Path, arrange: Callable[[Path, Path], None]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "tickets.csv").write_text(ROWS)
    arrange(root, disk)
    check_place(root)
    assert opened(root)["data/tickets.csv"] == ROWS
    assert (disk / "tickets.csv").read_text() == ROWS
    (root / "data").chmod(0o755)


@pytest.mark.skipif(os.getuid() == 0, reason="root may remove what is read-only")
def test_a_read_only_folder_in_it_is_removed_too(root: Path) -> None:
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        (folder / "made" / "inner").mkdir(parents=True)
        (folder / "made").chmod(0o555)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["data/gone.csv", "data", "annotations/inner/gone.csv"])
def test_a_link_to_nothing_is_refused_before_anything_runs(root: Path, name: str) -> None:
    if (root / name).is_dir():
        shutil.rmtree(root / name)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to("/nowhere/gone.csv")
    with pytest.raises(DataError, match=f"{name} is a link to /nowhere/gone.csv, where nothing is"):
        check_place(root)


@pytest.mark.parametrize("committed", [True, False])
def test_a_folder_of_a_larger_repository_is_copied_alone(tmp_path: Path, committed: bool) -> None:
    company = tmp_path / "company"
    root = company / "services" / "분류"
    (company / "other").mkdir(parents=True)
    (company / "other" / "large.bin").touch()
    if committed:
        write_project(root)
    commit_all(company)
    write_project(root)
    (root / "Makefile").write_text("changed")
    (company / "other" / "more").touch()
    check_git(root)
    files = opened(root)
    assert files["Makefile"] == "changed"
    assert "seed: 2" in files["build.yaml"]
    assert not [name for name in files if "large" in name]
    assert ConfigObj(files[".dvc/config.local"].splitlines())["core"]["no_scm"] == "true"
    assert len(git(company, "worktree", "list").splitlines()) == 1


def test_a_folder_that_a_larger_repository_ignores_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/clone/\n")
    commit_all(tmp_path)
    root = write_project(tmp_path / "clone")
    with pytest.raises(PipelineError, match=r"(?s)which ignores it.*git init && git add"):
        check_git(root)


@pytest.mark.parametrize("kind", ["linked", "shallow", "submodule", "slash"])
def test_it_works_in_every_kind_of_clone(root: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    if kind == "linked":
        git(root, "worktree", "add", "-q", "--detach", str(other))
    elif kind == "shallow":
        git(root, "clone", "-q", "--depth", "1", root.as_uri(), str(other))
    elif kind == "submodule":
        git(tmp_path, "init", "-q", "above")
        allowed = ("-c", "protocol.file.allow=always")
        git(tmp_path / "above", *allowed, "submodule", "add", "-q", str(root), "triage")
        other = tmp_path / "above" / "triage"
    else:
        git(root, "clone", "-q", str(root), str(other))
        git(other, "checkout", "-q", "-b", "team/topic")
    (other / "Makefile").write_text("changed")
    with open_workspace(root, name="some", params=PARAMETERS):
        assert opened(other)["Makefile"] == "changed"


def test_no_hook_of_the_user_runs_for_it(root: Path) -> None:
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "params.yaml" in opened(root)


ODD = "내 프로젝트 (2)/50% off & it's/a%20b #1?c=d,e/[x] 'q' \"z\""


def test_a_clone_may_lie_anywhere(tmp_path: Path) -> None:
    """DVC's cache is the root's, named so that no sign of the path means anything to DVC."""
    root = write_project(tmp_path / ODD)
    commit_all(root)
    check_place(root)
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        settings = ConfigObj(str(folder / ".dvc" / "config.local"), encoding="utf-8")
        found = folder / ".dvc" / settings["cache"]["dir"]
        assert found.resolve() == root / ".dvc" / "cache"
        assert set(settings["cache"]["dir"]) <= set("./abcdefghijklmnopqrstuvwxyz")
    assert not folder.exists()


def test_the_users_own_dvc_settings_stay(root: Path, tmp_path: Path) -> None:
    shared = tmp_path / ODD / "cache"
    for name, values in {
        "config": {"core": {"analytics": "false"}},
        "config.local": {"cache": {"dir": str(shared), "type": "symlink"}},
    }.items():
        settings = ConfigObj(values, encoding="utf-8")
        with (root / ".dvc" / name).open("wb") as stream:
            settings.write(stream)
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        local = ConfigObj(str(folder / ".dvc" / "config.local"), encoding="utf-8")["cache"]
        assert (folder / ".dvc" / local["dir"]).resolve() == shared
        assert local["type"] == "symlink"


@pytest.mark.parametrize("sign", [":", "\n"])
def test_a_path_that_cannot_work_is_refused(root: Path, sign: str) -> None:
    moved = root.rename(root.parent / f"a{sign}b")
    with pytest.raises(PipelineError, match="neither a `:` nor a line break"):
        check_place(moved)


def older(root: Path, pid: int, *, made: float) -> Path:
    """A worktree as earlier versions left it, with the number of its process noted at some time."""
    note = root / ".modelyard" / "worktrees" / "some" / ".modelyard" / "owner.pid"
    note.parent.mkdir(parents=True)
    note.write_text(str(pid))
    os.utime(note, (made, made))
    return note.parents[1]


def test_a_worktree_of_an_earlier_version_stays_while_its_process_runs(root: Path) -> None:
    folder = older(root, os.getpid(), made=time.time())
    prune_worktrees(root)
    with (
        pytest.raises(PipelineError, match=r"already running \(by an earlier version"),
        open_workspace(root, name="some", params=PARAMETERS),
    ):
        raise AssertionError
    assert folder.exists()


@pytest.mark.parametrize("whose", ["another's that started later", "nobody's"])
def test_a_worktree_of_an_earlier_version_whose_process_has_ended_stops_nothing(
    root: Path, whose: str
) -> None:
    """After the restart of a container, the number may be another process's."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = ended.pid if whose == "nobody's" else os.getpid()
    older(root, pid, made=psutil.Process().create_time() - 10)
    assert "params.yaml" in opened(root)


def test_a_worktree_that_a_killed_process_left_is_made_again(root: Path) -> None:
    hold = (
        "import os, sys\nfrom pathlib import Path\n"
        "from flows.execution.workspace import open_workspace\n"
        "from tests.flows.execution.test_workspace import PARAMETERS\n"
        "with open_workspace(Path(sys.argv[1]), name='some', params=PARAMETERS):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", hold, str(root)], cwd=REPOSITORY, check=False)
    assert len(git(root, "worktree", "list").splitlines()) == 2
    assert "params.yaml" in opened(root)
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_a_worktree_of_the_users_on_a_disk_that_is_not_mounted_is_not_forgotten(
    root: Path, tmp_path: Path
) -> None:
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "disk" / "theirs"))
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    opened(root)
    assert "disk/theirs" in git(root, "worktree", "list")
