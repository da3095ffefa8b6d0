"""A worktree shows the data without copying them, and the user's own files stay as they are."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc_data.hashfile.build import build
from dvc_objects.fs.local import LocalFileSystem
from dvc_objects.fs.system import reflink

from flows.execution.data_links import COPIED_BYTES, bring_data
from flows.execution.workspace import open_workspace
from pipeline.core.files import sha256_file
from pipeline.core.params import parse_params
from tests.flows.execution.test_workspace import write_project
from tests.support.repository import commit_all, parameter_values

LARGE = COPIED_BYTES + 1
PARAMETERS = parse_params(parameter_values())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a small file and one that is too large to be copied."""
    data = tmp_path / "clone" / "data"
    (data / "inner").mkdir(parents=True)
    (data / "small.csv").write_text("text,label\n")
    with (data / "inner" / "large.csv").open("wb") as large:
        large.truncate(LARGE)
    return data


def can_clone(folder: Path) -> bool:
    """Whether the file system shares blocks between files."""
    (folder / "a").write_bytes(b"some")
    try:
        reflink(str(folder / "a"), str(folder / "b"))
    except OSError:
        return False
    return True


def test_large_files_take_no_space_and_all_files_keep_their_times(
    data: Path, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    bring_data(data, shown)
    for name in ("small.csv", "inner/large.csv"):
        assert (shown / name).stat().st_mtime_ns == (data / name).stat().st_mtime_ns
        assert sha256_file(shown / name) == sha256_file(data / name)
    assert (shown / "inner/large.csv").samefile(data / "inner/large.csv") != can_clone(tmp_path)


def test_copies_together_take_no_more_than_the_limit(data: Path, tmp_path: Path) -> None:
    for number in range(5):
        (data / f"{number}.bin").write_bytes(b"\0" * (COPIED_BYTES // 4))
    shown = tmp_path / "shown"
    bring_data(data, shown)
    own = [path for path in shown.rglob("*") if path.is_file() and path.stat().st_nlink == 1]
    assert sum(path.stat().st_size for path in own) <= COPIED_BYTES or can_clone(tmp_path)
    assert (shown / "small.csv") in own


def test_a_file_that_is_written_in_place_or_replaced_meanwhile_reaches_no_small_copy(
    data: Path, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    bring_data(data, shown)
    with (data / "small.csv").open("a") as small:
        small.write("more,1\n")
    (data / "inner" / "new").write_text("replaced")
    (data / "inner" / "new").replace(data / "inner" / "large.csv")
    assert (shown / "small.csv").read_text() == "text,label\n"
    assert (shown / "inner/large.csv").stat().st_size == LARGE


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    memory = Path("/dev/shm")  # noqa: S108 - not for a file that others may guess
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other file system here")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("is_link", [False, True])
def test_data_on_another_disk_are_symbolic_links(
    data: Path, other_disk: Path, is_link: bool
) -> None:
    place = data
    if is_link:
        place = other_disk / "link"
        place.symlink_to(data)
    shown = other_disk / "shown"
    bring_data(place, shown)
    assert (shown / "inner/large.csv").readlink() == (data / "inner/large.csv").resolve()
    assert (shown / "small.csv").is_symlink() == is_link


def test_the_users_files_keep_mode_time_and_content(data: Path) -> None:
    root = write_project(data.parent)
    commit_all(root)
    (data / "small.csv").chmod(0o600)
    (data / "inner" / "large.csv").chmod(0o640)
    files = [data / "small.csv", data / "inner" / "large.csv"]
    before = [(file.stat().st_mode, file.stat().st_mtime_ns, sha256_file(file)) for file in files]
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        assert (folder / "data").stat().st_mode & 0o222 == 0
    after = [(file.stat().st_mode, file.stat().st_mtime_ns, sha256_file(file)) for file in files]
    assert after == before


def test_data_that_git_tracks_are_not_written_anew(data: Path) -> None:
    root = write_project(data.parent)
    (root / ".gitignore").write_text("/.modelyard/\n")
    commit_all(root)
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        large = folder / "data/inner/large.csv"
        assert large.samefile(root / "data/inner/large.csv") or large.stat().st_blocks == 0


def known(folder: Path) -> str | None:
    """The hash that DVC has noted of the large file in a workspace."""
    with closing(Repo(str(folder))) as repo:
        path = str(folder.resolve() / "data/inner/large.csv")
        _, value = repo.state.get(path, LocalFileSystem())
        return value.value if value else None


def read_by_dvc(folder: Path) -> str | None:
    with closing(Repo(str(folder))) as repo:
        build(repo.cache.local, str(folder.resolve() / "data"), LocalFileSystem(), "md5")
    return known(folder)


@pytest.mark.parametrize("name", ["some", "other"])
def test_what_dvc_has_read_once_it_knows_in_the_next_worktree(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = write_project(data.parent)
    commit_all(root)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(root / ".modelyard" / "dvc"))
    with open_workspace(root, name="some", params=PARAMETERS) as folder:
        assert known(folder) is None
        read = read_by_dvc(folder)
        assert read is not None
    with open_workspace(root, name=name, params=PARAMETERS) as folder:
        assert known(folder) == read
