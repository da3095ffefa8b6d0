"""A git worktree for a build with other parameters; the user's own files are never written.

It holds the commit, changes not yet committed, new files, data and annotations. It shares DVC's
cache and the training checkpoints with the main root, so nothing is trained twice and a killed run
continues.
"""

import configparser
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from flows.execution.git import git
from flows.planning.resolution import Variation, change_lines, resolved, write_build_file
from pipeline.core.errors import PipelineError
from pipeline.core.params import Params
from pipeline.core.paths import BUILD_FILE, Paths
from pipeline.release.server_process import is_alive

_PID_FILE = "owner.pid"


def workspace_for(root: Path, variation: Variation) -> AbstractContextManager[Path]:
    """The main root for a plain build, else a worktree with the variation's parameters."""
    if variation.is_plain:
        return nullcontext(root)
    params = resolved(root, variation)
    return open_workspace(root, name=workspace_name(root, variation, params), params=params)


def last_build(root: Path, variation: Variation) -> AbstractContextManager[Path]:
    """A worktree that starts from the variation's own last build; the main root for a plain one.

    Raises:
        PipelineError: it was never built: a new worktree would hold another product's results.
    """
    if variation.is_plain:
        return nullcontext(root)
    params = resolved(root, variation)
    name = workspace_name(root, variation, params)
    if not Paths(kept_results(root, name)).dvc_lock.exists():
        raise PipelineError(
            f"no build of {params.product.name}",
            expected="one that was made with the same words",
            next_step=f"run `modelyard build --product {variation.product}` first",
        )
    return open_workspace(root, name=name, params=params)


def workspace_name(root: Path, variation: Variation, params: Params) -> str:
    """Name of the worktree of a variation; equal ones share one.

    It is the product's name for another product, with a hash where values differ as well.
    """
    lines = change_lines(root, variation)
    if variation.product and not lines:
        return params.product.name
    digest = hashlib.sha256(chr(0).join([params.product.name, *lines]).encode()).hexdigest()[:10]
    return f"{params.product.name if variation.product else 'build'}-{digest}"


@contextmanager
def open_workspace(root: Path, *, name: str, params: Params) -> Iterator[Path]:
    """A worktree at `.modelyard/worktrees/<name>`, removed when the block ends.

    The same name starts from the dvc.lock of its last build; a living process may use it once.
    `params` become its build.yaml.
    """
    prune_worktrees(root)
    folder = Paths(root).state / "worktrees" / name
    if folder.exists():
        raise PipelineError(
            f"the build {name!r} is already running",
            expected="one build of a name at a time",
            next_step="wait until it ends, or stop it with Ctrl-C where it runs",
        )
    try:
        git(root, "worktree", "add", "--detach", "--quiet", str(folder), "HEAD")
        Paths(folder).state.mkdir(exist_ok=True)
        (Paths(folder).state / _PID_FILE).write_text(str(os.getpid()), encoding="utf-8")
        _overlay(root, folder)
        _share(root, folder, name)
        write_build_file(folder, params)
        yield folder
    finally:
        _remove(root, folder)


def kept_results(root: Path, name: str) -> Path:
    """The folder that keeps a named build's results after its worktree is removed."""
    return Paths(root).state / "builds" / name


def kept_builds(root: Path) -> list[Path]:
    """Folders of the named builds, newest first."""
    locks = (Paths(root).state / "builds").glob("*/dvc.lock")
    return [path.parent for path in sorted(locks, key=lambda path: -path.stat().st_mtime)]


def keep_results(root: Path, folder: Path) -> None:
    """Saves dvc.lock and the small results; the next build of this name starts from them."""
    kept = kept_results(root, folder.name)
    kept.mkdir(parents=True, exist_ok=True)
    for pattern in ("dvc.lock", BUILD_FILE, "artifacts/*/*.json", "artifacts/gate/plots/*.png"):
        for file in folder.glob(pattern):
            target = kept / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def prune_worktrees(root: Path) -> None:
    """Removes the worktrees of dead processes."""
    for folder in (Paths(root).state / "worktrees").glob("*/"):
        owner = 0  # made, but not yet claimed, when its process died
        with suppress(OSError, ValueError):
            owner = int((Paths(folder).state / _PID_FILE).read_text(encoding="utf-8"))
        if not is_alive(owner):
            _remove(root, folder)
    git(root, "worktree", "prune")


def _remove(root: Path, folder: Path) -> None:
    """Removes a worktree, and of the shared checkpoints only the link."""
    Paths(folder).all_checkpoints.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    git(root, "worktree", "prune")


def _overlay(root: Path, folder: Path) -> None:
    """Copies uncommitted changes, new files, data and annotations into the worktree."""
    changed = git(root, "diff", "HEAD", "--name-only", "-z").split("\0")
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, [*changed, *new]):
        source, target = root / name, folder / name
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
        else:
            target.unlink(missing_ok=True)
    for name in ("data", "annotations"):
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, dirs_exist_ok=True)


def _share(root: Path, folder: Path, name: str) -> None:
    """Shares cache and checkpoints; copies the dvc.lock of this name's last build or the root's."""
    whole, local = (configparser.ConfigParser(interpolation=None) for _ in range(2))
    files = [root / ".dvc" / "config", root / ".dvc" / "config.local"]
    whole.read(files, encoding="utf-8")
    local.read(files[-1:], encoding="utf-8")
    cache = (root / ".dvc" / whole.get("cache", "dir", fallback="cache")).resolve()
    site = Paths(folder).state / "dvc"
    local.read_dict({"cache": {"dir": str(cache)}, "core": {"site_cache_dir": str(site)}})
    with (folder / ".dvc" / "config.local").open("w", encoding="utf-8") as stream:
        local.write(stream)
    shared = Paths(root).all_checkpoints
    shared.mkdir(parents=True, exist_ok=True)
    Paths(folder).all_checkpoints.symlink_to(shared, target_is_directory=True)
    for lock in (Paths(kept_results(root, name)).dvc_lock, Paths(root).dvc_lock):
        if lock.exists():
            shutil.copyfile(lock, Paths(folder).dvc_lock)
            break
