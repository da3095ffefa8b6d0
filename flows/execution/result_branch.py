"""Commits the results of a retrain to a branch, beside the user's checkout: neither it nor its index
is touched, and no hook runs.

    dvc.lock                         what the build was made of (of another product: beside the next)
    retrain/<product>/decision.json  the run: why it ran, what changed, how it ended, hashes
    retrain/<product>/metrics.json   stage → the figures of its metrics

The commit stands on the branch's newest one. A branch that does not hold the built commit yet gets
it as well, so that code, data and figures belong together in every commit.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from flows.execution.commit import Commit
from flows.execution.git import ask_git, git, place_in_repository
from pipeline.core.errors import PipelineError

_IDENTITY = ("-c", "user.name=Modelyard", "-c", "user.email=modelyard@localhost")


def check_branch(root: Path, branch: str) -> None:
    """Raises PipelineError where results cannot be committed to a branch of this name.

    A branch that somebody has checked out would look to them as if they had undone the commit.
    """
    if ask_git(root, "check-ref-format", "--branch", branch).returncode:
        raise PipelineError(
            f"{branch!r} as the name of a branch",
            expected="a name that git takes, as retrain/main",
            next_step="name another with --commit-to",
        )
    listed = git(root, "worktree", "list", "--porcelain").splitlines()
    if f"branch refs/heads/{branch}" in listed:
        raise PipelineError(
            f"the branch {branch}, which is checked out",
            expected="a branch that nobody has checked out, so that no files change under them",
            next_step=f"take another, as `--commit-to retrain/{branch}`, and merge it when you like",
        )


def commit_results(
    root: Path, branch: str, built: Commit, *, files: Mapping[str, str], message: str
) -> str:
    """Commits files (name from the project's folder → text) to a branch; returns the commit's hash.

    Raises:
        PipelineError: the branch holds other work than results, or it moved meanwhile.
    """
    check_branch(root, branch)
    place = place_in_repository(root)
    named = {f"{place}{name}": text for name, text in files.items()}
    found = ask_git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    tip = found.stdout.strip()
    base, parents = _stands_on(
        root, tip, built, branch=branch, own=(f"{place}retrain/", f"{place}dvc.lock")
    )
    tree = _tree(root, base, tip, named, kept=f"{place}retrain")
    above = [word for parent in parents for word in ("-p", parent)]
    commit = git(root, *_IDENTITY, "commit-tree", tree, *above, given=message).strip()
    # An empty former value: the branch must still not be there.
    git(root, "update-ref", "-m", "modelyard retrain", f"refs/heads/{branch}", commit, tip)
    return commit


def _stands_on(
    root: Path, tip: str, built: Commit, *, branch: str, own: tuple[str, ...]
) -> tuple[str, list[str]]:
    """The commit whose files the new one takes over, and its parents."""
    if not tip or _holds(root, built.hash, tip):
        return built.hash, [built.hash]
    if _holds(root, tip, built.hash):
        return tip, [tip]
    fork = git(root, "merge-base", tip, built.hash).strip()
    others = git(
        root, "diff", "--name-only", "-z", "--no-renames", "--no-relative", fork, tip
    ).split("\0")
    if foreign := [name for name in others if name and not name.startswith(own)]:
        raise PipelineError(
            f"the branch {branch}, which has its own {foreign[0]} and lacks {built}",
            expected="a branch that holds the built commit, or nothing but results of retrains",
            next_step=f"merge {built.branch or built.hash[:10]} into it, or name a new branch",
        )
    return built.hash, [tip, built.hash]


def _holds(root: Path, commit: str, ancestor: str) -> bool:
    return ask_git(root, "merge-base", "--is-ancestor", ancestor, commit).returncode == 0


def _tree(root: Path, base: str, tip: str, files: Mapping[str, str], *, kept: str) -> str:
    """The tree of `base` with the results of other products that the branch's newest commit holds,
    and with `files`.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-index-") as place:
        index = Path(place) / "index"
        git(root, "read-tree", base, index=index)
        entries = git(root, "ls-tree", "-r", "-z", "--full-tree", tip, "--", kept) if tip else ""
        for name, text in files.items():
            blob = git(root, "hash-object", "-w", "--no-filters", "--stdin", given=text).strip()
            entries += f"100644 {blob}\t{name}\0"
        git(root, "update-index", "-z", "--add", "--index-info", index=index, given=entries)
        return git(root, "write-tree", index=index).strip()
