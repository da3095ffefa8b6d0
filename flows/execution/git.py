"""git, run on the repository that a folder lies in, whatever repository the environment names."""

import os
import subprocess
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError

_QUIETLY = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")
"""No hook of the user's runs because of us: a worktree would otherwise run `post-checkout`."""
_PLAIN_WORDS = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
"""Messages in English, since some are told apart; no lock that a person's own git would meet."""


def ask_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a git command; its output keeps names that are not UTF-8."""
    return subprocess.run(
        ["git", *_QUIETLY, *arguments],
        cwd=folder,
        env={**chosen_environment(os.environ), **_PLAIN_WORDS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    """Returns what a git command prints; raises PipelineError where it fails."""
    answer = ask_git(folder, *arguments)
    if answer.returncode:
        raise PipelineError(
            f"git {arguments[0]} failed: {answer.stderr.strip()}",
            expected="a git repository with a commit",
            next_step="see `git status`",
        )
    return answer.stdout


def is_top_of_repository(folder: Path) -> bool:
    """Whether the folder is the top of its repository, not a folder in a larger one."""
    return not git(folder, "rev-parse", "--show-prefix").strip()


def changed_files(folder: Path) -> list[str]:
    """Names of the files below `folder` that differ from the commit, also those that are gone or new."""
    options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative")
    return [*_names(git(folder, "diff", "HEAD", *options)), *_new_files(folder)]


def present_files(folder: Path) -> list[str]:
    """Names of the files below `folder` that git tracks or would add."""
    return [*_names(git(folder, "ls-files", "-z")), *_new_files(folder)]


def _new_files(folder: Path) -> list[str]:
    return _names(git(folder, "ls-files", "--others", "--exclude-standard", "-z"))


def _names(listed: str) -> list[str]:
    return [name for name in listed.split("\0") if name]
