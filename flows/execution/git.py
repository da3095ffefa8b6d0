"""git, run on the repository that a folder lies in, whatever repository the environment names."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError

_QUIETLY = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")
"""No hook of the user's runs because of us: a worktree would otherwise run `post-checkout`."""
_PLAIN_WORDS = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
"""Messages in English, since some are told apart; no lock that a person's own git would meet."""


def ask_git(
    folder: Path, *arguments: str, index: Path | None = None, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a git command; its output keeps names that are not UTF-8.

    Args:
        index: an index of our own, in place of the one that `git add` of the user writes.
        given: what the command reads from its standard input.
    """
    own = {} if index is None else {"GIT_INDEX_FILE": str(index)}
    return subprocess.run(
        ["git", *_QUIETLY, *arguments],
        cwd=folder,
        env={**chosen_environment(os.environ), **_PLAIN_WORDS, **own},
        input=given or "",
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def git(folder: Path, *arguments: str, index: Path | None = None, given: str | None = None) -> str:
    """Returns what a git command prints; raises PipelineError where it fails."""
    answer = ask_git(folder, *arguments, index=index, given=given)
    if answer.returncode:
        raise PipelineError(
            f"git {arguments[0]} failed: {answer.stderr.strip()}",
            expected="a git repository with a commit",
            next_step="see `git status`",
        )
    return answer.stdout


def is_top_of_repository(folder: Path) -> bool:
    """Whether the folder is the top of its repository, not a folder in a larger one."""
    return not place_in_repository(folder)


def place_in_repository(folder: Path) -> str:
    """The folder's path from the top of its repository, with a `/` at its end; of the top, ""."""
    return git(folder, "rev-parse", "--show-prefix").removesuffix("\n")


def changed_files(folder: Path) -> list[str]:
    """Names of the files below `folder` that differ from the commit, also those that are gone or new."""
    options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative")
    return [*_names(git(folder, "diff", "HEAD", *options)), *_new_files(folder)]


def present_files(folder: Path) -> list[str]:
    """Names of the files below `folder` that git tracks or would add."""
    return [*_names(git(folder, "ls-files", "-z")), *_new_files(folder)]


def write_commit(root: Path, commit: str, folder: Path, *, only: Sequence[str] = ()) -> None:
    """Writes what a commit holds of the project `root` into another folder, as a checkout would.

    The user's own files and index are not touched.

    Args:
        only: names of files and folders; those that the commit lacks are passed over.
    """
    own = git(root, "rev-parse", "--absolute-git-dir").removesuffix("\n")
    there = (f"--git-dir={own}", f"--work-tree={folder}")
    with tempfile.TemporaryDirectory(prefix="modelyard-index-") as place:
        index = Path(place) / "index"
        git(folder, *there, "read-tree", f"{commit}:{place_in_repository(root)}", index=index)
        names = git(folder, *there, "ls-files", "-z", "--", *only, index=index)
        git(folder, *there, "checkout-index", "-f", "-z", "--stdin", index=index, given=names)


def commit_tags(folder: Path) -> dict[str, str]:
    """Which commit a build is of, and whether files differ from it, as tags of its record."""
    changed = git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    commit = git(folder, "rev-parse", "HEAD").strip()
    return {"git.commit": commit, "git.dirty": str(bool(changed)).lower()}


def _new_files(folder: Path) -> list[str]:
    return _names(git(folder, "ls-files", "--others", "--exclude-standard", "-z"))


def _names(listed: str) -> list[str]:
    return [name for name in listed.split("\0") if name]
