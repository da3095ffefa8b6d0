"""Check that a build could start, without building anything.

modelyard check [key=value …] [--profile NAME] [--product FILE]
"""

import importlib.util
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.execution.git import ask_git, is_top_of_repository, present_files
from flows.planning.dag import load_dag
from flows.planning.resolution import Variation, read_layers, resolve
from flows.planning.snapshot import hash_sources
from pipeline.core.chosen_environment import OWN_HOME
from pipeline.core.errors import DataError, PipelineError
from pipeline.core.files import sha256_file
from pipeline.core.params import Params
from pipeline.core.paths import Paths

NEEDED_BYTES = 2_000_000_000
"""Disk that a full build of the default needs: outputs, DVC's copies, checkpoints, MLflow."""

PACKAGES = (
    *("dvc", "prefect", "mlflow", "torch", "transformers"),
    *("tokenizers", "onnx", "onnxruntime", "sklearn", "pyarrow"),
)


def checked(root: Path, variation: Variation) -> Iterator[str]:
    """Yields one line for each check that passes; raises PipelineError for the first that does not."""
    check_before_build(root)
    yield "git          a repository with a commit"
    yield f"packages     {len(PACKAGES)} of {len(PACKAGES)} installed"
    yield f"disk         at least {NEEDED_BYTES / 1e9:g} GB are free"
    yield f"dvc.yaml     {len(load_dag(Paths(root).dag).names)} stages"
    layers = read_layers(root, variation)
    params = resolve(layers)
    yield f"parameters   valid, product {params.product.name} of {layers.product.place}"
    check_sources(root, params)
    later = len(_not_fetched(root, params))
    told = f", of which a build fetches {later} first" if later else ""
    yield f"data         {len(params.collect.sources)} sources{told}, hashes as pinned"


def check_before_build(root: Path) -> None:
    """Raises PipelineError where git, a package or disk space is missing."""
    check_place(root)
    check_packages(PACKAGES)
    check_disk(root, needed=NEEDED_BYTES)


def check_place(root: Path) -> None:
    """Raises PipelineError where a build cannot work in this folder: its path, git, a link in data/."""
    if ":" in str(root) or "\n" in str(root):
        raise PipelineError(
            f"the path {str(root)!r}",
            expected="a folder whose path has neither a `:` nor a line break, as PATH asks for",
            next_step="move or rename the folder",
        )
    check_git(root)
    for folder in (Paths(root).data, Paths(root).annotations):
        for path in (folder, *folder.rglob("*")):
            if path.is_symlink() and not path.exists():
                raise DataError(
                    f"{path.relative_to(root)} is a link to {path.readlink()}, where nothing is",
                    expected="links in data/ and annotations/ that lead to files, for DVC reads them all",
                    next_step="bring back what it leads to (is a disk not mounted?), or remove the link",
                )


def check_git(root: Path) -> None:
    """Raises PipelineError where the folder is not in a git repository with a commit."""
    if shutil.which("git") is None:
        raise PipelineError(
            "git is not installed",
            expected="git, which DVC and the worktrees of builds need",
            next_step="install the system package `git`",
        )
    head = ask_git(root, "rev-parse", "--verify", "HEAD")
    if head.returncode:
        raise git_refuses(root, head.stderr.strip())
    if not is_top_of_repository(root) and "params.yaml" not in present_files(root):
        raise PipelineError(
            f"{root} lies in a larger git repository, which ignores it",
            expected="the top of a repository, or a folder that the larger one does not ignore",
            next_step=_first_commit(root),
        )


def git_refuses(root: Path, said: str) -> PipelineError:
    """The error for what git said: it does not trust the folder, or there is no commit."""
    if found := re.search(r"dubious ownership in repository at '(.*)'", said):
        # A user without a home has the one of this project.
        home = (
            f"HOME={shlex.quote(str(OWN_HOME))} " if os.environ.get("HOME") == str(OWN_HOME) else ""
        )
        trust = f"{home}git config --global --add safe.directory {shlex.quote(found[1])}"
        return PipelineError(
            f"{found[1]} belongs to another user, so git does not look into it",
            expected="a folder of your own, or one that you tell git to trust",
            next_step=trust,
        )
    return PipelineError(
        f"{root} is not a git repository with a commit ({said})",
        expected="a clone, or a folder in which `git init` and a first commit were made",
        next_step=_first_commit(root),
    )


def _first_commit(root: Path) -> str:
    """The command that makes the folder a repository; with a name where git knows none."""
    known = ask_git(root, "var", "GIT_COMMITTER_IDENT").returncode == 0
    author = "" if known else "-c user.name=me -c user.email=me@example.org "
    return f"git init && git add . && git {author}commit -m start"


def check_packages(names: Sequence[str]) -> None:
    """Raises PipelineError where a package is not installed; none is imported."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise PipelineError(
            f"not installed: {', '.join(missing)}",
            expected="the packages for training and orchestration",
            next_step="run `make install`, which sets up .venv again",
        )


def check_disk(folder: Path, *, needed: int) -> None:
    """Raises PipelineError where less than `needed` bytes are free at `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PipelineError(
            f"{free / 1e6:,.0f} MB are free in {folder}",
            expected=f"{needed / 1e6:,.0f} MB: {(needed - free) / 1e6:,.0f} MB are missing",
            next_step="free some space: `modelyard tidy` removes old builds and what nothing names",
        )


def check_sources(root: Path, params: Params) -> None:
    """Raises DataError where a source is missing, or has other bytes than its `sha256` names.

    What a build fetches first may be missing, and may have other bytes.
    """
    later = _not_fetched(root, params)
    here = [source for source in params.collect.sources if source.name not in later]
    found = hash_sources(root, here)
    for source in here:
        if source.sha256 is not None and source.sha256 != found[source.name]:
            raise DataError(
                f"source {source.name} has the hash {found[source.name]}",
                expected=f"{source.sha256}, as its `sha256` in the product file pins it",
                next_step="bring the old file back, or write the new hash there",
            )


def _not_fetched(root: Path, params: Params) -> set[str]:
    """Names of the sources of an address or a database that a build fetches first."""
    return {
        source.name
        for source in params.collect.sources
        if source.url and _differs(Paths(root).data / source.path, source.sha256)
    }


def _differs(file: Path, sha256: str | None) -> bool:
    return not file.is_file() or sha256 not in (None, sha256_file(file))
