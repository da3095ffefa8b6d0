"""A clone has the same bytes whatever the user's git is set to."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import chosen_environment
from tests.support.repository import REPOSITORY, commit_all

PICTURE = "docs/images/demo.png"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a file of every kind that ours has, and a user's own CRLF."""
    root = tmp_path_factory.mktemp("source")
    for name in (".gitattributes", "Makefile", "scripts/find_python.sh", "dvc.yaml", PICTURE):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, root / name)
    (root / "data").mkdir()
    (root / "data" / "tickets.csv").write_bytes(b"text,label\r\nfine,good\r\n")
    commit_all(root)
    return root


@pytest.mark.parametrize("setting", ["core.autocrlf=true", "core.eol=crlf", "core.autocrlf=input"])
def test_a_clone_has_the_same_bytes_with_any_setting_of_git(
    source: Path, tmp_path: Path, setting: str
) -> None:
    clone = tmp_path / "clone"
    command = ["git", "clone", "-q", "-c", setting, str(source), str(clone)]
    subprocess.run(command, env=chosen_environment(os.environ), check=True)
    for file in (path for path in source.rglob("*") if path.is_file() and ".git/" not in str(path)):
        assert (clone / file.relative_to(source)).read_bytes() == file.read_bytes(), file


def test_no_text_of_this_repository_has_a_carriage_return() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--eol"],
        cwd=REPOSITORY,
        env=chosen_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Line ends as they are in the index and in the work tree, then the path.
    endings = (line.split(maxsplit=2)[:2] for line in listed.splitlines())
    assert {"i/crlf", "w/crlf", "i/mixed", "w/mixed"} & {
        end for pair in endings for end in pair
    } == set()
