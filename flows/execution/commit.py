"""The commit that a retrain builds, so that nothing is released which stands in an editor alone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.execution.git import ask_git, changed_files, git, write_commit
from flows.planning.resolution import Variation, product_file
from pipeline.core.errors import ParameterError, PipelineError

_DATA = ("data/", "annotations/", "splits/")
_WRITTEN = ("params.yaml", "product.yaml", "products", "profiles")
"""The files of a commit that parameters are resolved from."""
_BY_HAND = "or build your files as they are: `modelyard retrain --working-tree`"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit, and the branch whose newest one it was; "" where no branch is checked out."""

    branch: str
    hash: str

    def __str__(self) -> str:
        return f"commit {self.hash[:10]} of {self.branch or 'a detached HEAD'}"


def newest_commit(root: Path, branch: str = "") -> Commit:
    """The newest commit of a branch, local or as it was last fetched; of "", the checked-out one.

    Raises:
        PipelineError: there is no such branch.
    """
    if not branch:
        name = ask_git(root, "symbolic-ref", "--short", "--quiet", "HEAD").stdout.strip()
        return Commit(branch=name, hash=git(root, "rev-parse", "HEAD").strip())
    for place in ("refs/heads", "refs/remotes"):
        asked = f"{place}/{branch}^{{commit}}"
        found = ask_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        if found.returncode == 0:
            return Commit(branch=branch, hash=found.stdout.strip())
    known = git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    raise PipelineError(
        f"no branch {branch!r}",
        expected=f"one of: {', '.join(known) or '(none)'}; or a fetched one, as origin/main",
        next_step="name one with --branch, or `branch` in prefect.yaml; `git fetch` brings others",
    )


def files_left_out(root: Path, commit: Commit) -> list[str]:
    """Files that a build of this commit does not see: changed or new ones, where it is checked out."""
    if git(root, "rev-parse", "HEAD").strip() != commit.hash:
        return []
    return sorted(name for name in changed_files(root) if not name.startswith(_DATA))


@contextmanager
def written_files(
    root: Path, commit: Commit, variation: Variation
) -> Iterator[tuple[Path, Variation]]:
    """A folder with the commit's product files, params.yaml and profiles, and the variation in it.

    Raises:
        PipelineError: the product file that is meant is not in the commit.
    """
    product = _in_project(root, variation.product)
    with tempfile.TemporaryDirectory(prefix="modelyard-commit-") as place:
        folder = Path(place)
        write_commit(root, commit.hash, folder, only=[*_WRITTEN, *([product] if product else [])])
        varied = replace(variation, product=product)
        _require_product(root, folder, varied, commit)
        yield folder, varied


def _in_project(root: Path, product: str) -> str:
    """A product file as the commit names it: from the project's folder; a product's name as it is."""
    path = root / product
    if not product or not path.is_file():
        return product
    inside = path.resolve()
    if not inside.is_relative_to(root.resolve()):
        raise PipelineError(
            f"the product file {product}, which is not in this project",
            expected="one in the project's folder: a retrain builds a commit",
            next_step=f"copy it into products/ and commit it, {_BY_HAND}",
        )
    return inside.relative_to(root.resolve()).as_posix()


def _require_product(root: Path, folder: Path, varied: Variation, commit: Commit) -> None:
    """Raises PipelineError where the product file of the project's folder is not in the commit."""
    try:
        name = product_file(root, varied).relative_to(root)
    except (ParameterError, ValueError):
        return  # not here either: resolving says what is wrong
    if (root / name).is_file() and not (folder / name).is_file():
        raise PipelineError(
            f"{name} is not in {commit}",
            expected="your product file in the commit that a retrain builds",
            next_step=f"`git add {name} && git commit`, {_BY_HAND}",
        )
