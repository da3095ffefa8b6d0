"""What is missing is said before a build starts."""

from pathlib import Path

import pytest

from flows.check import check_disk, check_git, check_packages
from pipeline.core.errors import PipelineError


def test_a_folder_that_is_no_git_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="not a git repository") as error:
        check_git(tmp_path)
    assert "git init" in error.value.next_step


def test_a_missing_package_is_named() -> None:
    with pytest.raises(PipelineError, match="no_such_package"):
        check_packages(["yaml", "no_such_package"])


def test_too_little_disk_says_how_much_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as error:
        check_disk(tmp_path, needed=10**18)
    assert "are missing" in error.value.expected
