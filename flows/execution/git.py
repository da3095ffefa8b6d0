"""git, run on the repository that a folder lies in, whatever repository the environment names."""

import os
import subprocess
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError

_PLAIN_WORDS = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
"""Messages in English, since some are told apart; no lock that a person's own git would meet."""


def ask_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a git command; its output keeps names that are not UTF-8."""
    return subprocess.run(
        ["git", *arguments],
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
