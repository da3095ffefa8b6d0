"""A git worktree for a build with other parameters; the user's own files are never written.

It holds the commit, changes not yet committed, new files, data and annotations. It shares DVC's
cache and the training checkpoints with the main root, so nothing is trained twice and a killed run
continues.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from configobj import ConfigObj

from flows.execution.git import (
    ask_git,
    changed_files,
    git,
    is_top_of_repository,
    present_files,
    write_commit,
)
from flows.planning.arithmetic import decided
from flows.planning.resolution import Variation, change_lines, resolved, write_build_file
from pipeline.core.errors import PipelineError
from pipeline.core.params import Params
from pipeline.core.paths import BUILD_FILE, Paths
from pipeline.release.server_process import is_alive

_PID_FILE = "owner.pid"
_DATA = ("data", "annotations")
_SETTINGS = ("config", "config.local")


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
def open_workspace(root: Path, *, name: str, params: Params, commit: str = "") -> Iterator[Path]:
    """A worktree at `.modelyard/worktrees/<name>`, removed when the block ends.

    It holds the folder as it is, or exactly a commit: data and annotations are the folder's in any case.

    Where the project is a folder of a larger repository, it is a plain copy of that folder.
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
        whole = is_top_of_repository(root)
        if whole:
            git(root, "worktree", "add", "--detach", "--quiet", str(folder), commit or "HEAD")
        Paths(folder).state.mkdir(parents=True, exist_ok=True)
        (Paths(folder).state / _PID_FILE).write_text(str(os.getpid()), encoding="utf-8")
        if not commit:
            _bring_files(root, folder, changed_files(root) if whole else present_files(root))
        elif not whole:
            write_commit(root, commit, folder)
        for data in _DATA:
            _bring_data(root / data, folder / data)
        _share(root, folder, name, git_knows=whole)
        write_build_file(folder, decided(root, params))
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
    for above, folders, _ in os.walk(folder):
        for name in folders:  # what is copied may be read-only, and so could not be removed
            if not (inner := Path(above) / name).is_symlink():
                inner.chmod(inner.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
    ask_git(root, "worktree", "prune")


def _bring_files(root: Path, folder: Path, names: Sequence[str]) -> None:
    """Makes files of the workspace as they are in the root; what the root lacks is removed."""
    for name in names:
        source, target = root / name, folder / name
        if Path(name).parts[0] in _DATA:
            continue
        target.unlink(missing_ok=True)
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def _bring_data(source: Path, target: Path, *, linked: bool = False) -> None:
    """Makes `target` hold what `source` holds: links to what is linked there, copies of the rest.

    A link may be relative and data may lie on another disk, so each link names the place itself.
    """
    if not source.is_dir():
        return
    shutil.rmtree(target, ignore_errors=True)
    target.unlink(missing_ok=True)
    target.mkdir(parents=True)
    linked = linked or source.is_symlink()
    for entry in source.iterdir():
        place = target / entry.name
        if entry.is_symlink() or (linked and entry.is_file()):
            place.symlink_to(os.path.realpath(entry))
        elif entry.is_dir():
            _bring_data(entry, place, linked=linked)
        elif entry.is_file():
            shutil.copyfile(entry, place)


def _share(root: Path, folder: Path, name: str, *, git_knows: bool) -> None:
    """Shares cache and checkpoints; copies the dvc.lock of this name's last build or the root's."""
    settings = [ConfigObj(str(root / ".dvc" / n), encoding="utf-8") for n in _SETTINGS]
    whole, local = ConfigObj(), settings[-1]
    for some in settings:
        whole.merge(some)
    cache = (root / ".dvc" / whole.get("cache", {}).get("dir", "cache")).resolve()
    # Relative, so that no sign in the clone's own path can be taken for one of the file's.
    place = os.path.relpath(cache, (folder / ".dvc").resolve())
    local.merge({"cache": {"dir": place}, **({} if git_knows else {"core": {"no_scm": "true"}})})
    with (folder / ".dvc" / "config.local").open("wb") as stream:
        local.write(stream)
    shared = Paths(root).all_checkpoints
    shared.mkdir(parents=True, exist_ok=True)
    Paths(folder).all_checkpoints.symlink_to(shared, target_is_directory=True)
    for lock in (Paths(kept_results(root, name)).dvc_lock, Paths(root).dvc_lock):
        if lock.exists():
            shutil.copyfile(lock, Paths(folder).dvc_lock)
            break
