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

from flows.execution.data_links import bring_data, bring_files
from flows.execution.dvc_cache import cache_folder
from flows.execution.git import (
    ask_git,
    changed_files,
    git,
    is_top_of_repository,
    present_files,
    write_commit,
)
from flows.execution.known_files import large_files, tell_what_is_known
from flows.execution.locks import end_orphans
from flows.execution.split_ledgers import bring_splits, return_splits
from flows.planning.arithmetic import decided
from flows.planning.resolution import Variation, change_lines, resolved, write_build_file
from pipeline.core.errors import PipelineError
from pipeline.core.file_lock import Holder, try_lock, unlock, waited_lock
from pipeline.core.params import Params
from pipeline.core.paths import BUILD_FILE, Paths

_CLAIM, _BUILD = ".lock", "a build"
_CLEARING_SECONDS = 60.0
"""How long another process may take to remove what a dead one left."""
_DATA = ("data", "annotations")
_SPLITS = "splits"


def workspace_for(root: Path, variation: Variation) -> AbstractContextManager[Path]:
    """The main root for a plain build, else a worktree with the variation's parameters."""
    if variation.is_plain:
        return nullcontext(root)
    params = resolved(root, variation)
    name = workspace_name(root, variation, params)
    return open_workspace(root, name=name, params=params, is_experiment=bool(variation.changes))


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
def open_workspace(
    root: Path, *, name: str, params: Params, commit: str = "", is_experiment: bool = False
) -> Iterator[Path]:
    """A worktree at `.modelyard/worktrees/<name>`, removed when the block ends.

    It holds the folder as it is, or exactly a commit: data, annotations and splits are the folder's in
    any case. Texts that are dealt to splits here are added to the folder's ledgers, whatever the end.

    Where the project is a folder of a larger repository, it is a plain copy of that folder.
    The same name starts from the dvc.lock of its last build; one process at a time may use it.
    `params` become its build.yaml. Of an experiment, texts that it moves to another split move here alone.

    Raises:
        PipelineError: another process has it, which is named and keeps it.
    """
    prune_worktrees(root)
    folder = _worktrees(root) / name
    with _claimed(root, folder):
        whole = is_top_of_repository(root)
        if whole:
            _check_out(root, folder, commit or "HEAD")
        Paths(folder).state.mkdir(parents=True, exist_ok=True)
        if not commit:
            _bring_files(root, folder, changed_files(root) if whole else present_files(root))
        elif not whole:
            write_commit(root, commit, folder)
        for data in _DATA:
            bring_data(root / data, folder / data)
        bring_splits(Paths(root).splits, Paths(folder).splits, product=params.product.name)
        _share(root, folder, name, git_knows=whole)
        write_build_file(folder, decided(root, params))
        large = large_files(root, _DATA)
        tell_what_is_known(root, folder, root=root, names=large)
        try:
            yield folder
        finally:
            return_splits(folder, root, with_moves=not is_experiment)
        tell_what_is_known(folder, root, root=root, names=large)


@contextmanager
def _claimed(root: Path, folder: Path) -> Iterator[None]:
    """Holds the claim on a worktree's place, which is empty at the start and at the end.

    The claim is a lock beside the worktree, so that who comes second touches nothing of it.
    """
    claim = _claim_of(folder)

    def waiting(holder: Holder, seconds: float) -> None:
        if (holder.what == _BUILD and holder.is_running) or seconds > _CLEARING_SECONDS:
            raise _already_running(folder, str(holder))

    with waited_lock(claim, what=_BUILD, waiting=waiting):
        if _is_of_earlier_version(folder):
            raise _already_running(folder, "by an earlier version of Modelyard")
        try:
            _clear_up(root, folder)
            yield
        finally:
            _remove(root, folder)
            claim.unlink(missing_ok=True)


def _check_out(root: Path, folder: Path, commit: str) -> None:
    """Makes a worktree with the files of a commit but the data, which may be large and are linked."""
    # Twice forced: git may still list a worktree here whose process was killed.
    options = ("-f", "-f", "--detach", "--no-checkout", "--quiet")
    git(root, "worktree", "add", *options, str(folder), commit)
    without = [f":(exclude,top){name}" for name in (*_DATA, _SPLITS)]
    git(folder, "checkout", "--quiet", commit, "--", ":(top)", *without)


def _already_running(folder: Path, by: str) -> PipelineError:
    return PipelineError(
        f"the build {folder.name!r} is already running ({by})",
        expected="one build of a name at a time",
        next_step="wait until it ends, or stop it with Ctrl-C where it runs",
    )


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
    """Removes the worktrees that no process has a claim on any more."""
    names = {path.name.removesuffix(_CLAIM) for path in _worktrees(root).glob("*")}
    for folder in (_worktrees(root) / name for name in sorted(names)):
        claim = _claim_of(folder)
        if (held := try_lock(claim, what="clearing up")) is not None:
            if not _is_of_earlier_version(folder):
                _clear_up(root, folder)
            unlock(claim, held)


def _clear_up(root: Path, folder: Path) -> None:
    """Ends what works on in the worktree of a dead process, then removes that."""
    if folder.exists():
        end_orphans(folder)
        _remove(root, folder)


def _worktrees(root: Path) -> Path:
    return Paths(root).state / "worktrees"


def _claim_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_CLAIM}")


def _is_of_earlier_version(folder: Path) -> bool:
    """Whether a process of an earlier version, which took no claim, works in the worktree.

    It noted its number there; another process that has this number today started after that.
    """
    import psutil

    note = Paths(folder).state / "owner.pid"
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        owner = psutil.Process(int(note.read_text(encoding="utf-8")))
        alive = owner.status() != psutil.STATUS_ZOMBIE
        return bool(alive and owner.create_time() < note.stat().st_mtime)
    return False


def _remove(root: Path, folder: Path) -> None:
    """Removes a worktree whose claim the caller holds, and of what it shares only the links.

    Of git's worktrees no other is touched: one of the user's may lie on a disk that is not mounted.
    """
    for above, folders, _ in os.walk(folder):
        for name in folders:  # what is copied may be read-only, and so could not be removed
            if not (inner := Path(above) / name).is_symlink():
                inner.chmod(inner.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
    ask_git(root, "worktree", "remove", "--force", "--force", str(folder))


def _bring_files(root: Path, folder: Path, names: Sequence[str]) -> None:
    """Makes files of the workspace as they are in the root; what the root lacks is removed."""
    files = []
    for name in names:
        source, target = root / name, folder / name
        if Path(name).parts[0] in (*_DATA, _SPLITS):
            continue
        target.unlink(missing_ok=True)
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                target.symlink_to(source.readlink())
            else:
                files.append((source, target))
    bring_files(files)


def _share(root: Path, folder: Path, name: str, *, git_knows: bool) -> None:
    """Shares what builds may share; copies the dvc.lock of this name's last build or the root's."""
    local = ConfigObj(str(root / ".dvc" / "config.local"), encoding="utf-8")
    # Relative, so that no sign in the clone's own path can be taken for one of the file's.
    place = os.path.relpath(cache_folder(root), (folder / ".dvc").resolve())
    local.merge({"cache": {"dir": place}, **({} if git_knows else {"core": {"no_scm": "true"}})})
    with (folder / ".dvc" / "config.local").open("wb") as stream:
        local.write(stream)
    for of_all, link in zip(_shared(Paths(root)), _shared(Paths(folder)), strict=True):
        of_all.mkdir(parents=True, exist_ok=True)
        link.symlink_to(of_all, target_is_directory=True)
    _keep_dvc_state(folder)
    for lock in (Paths(kept_results(root, name)).dvc_lock, Paths(root).dvc_lock):
        if lock.exists():
            shutil.copyfile(lock, Paths(folder).dvc_lock)
            break


def _shared(paths: Paths) -> tuple[Path, ...]:
    return paths.all_checkpoints, paths.stage_locks, paths.dvc_state


def _keep_dvc_state(folder: Path) -> None:
    """Lets DVC know which files it has read here in an earlier worktree of the name.

    It takes a folder whose `btime` is another for another repository, and reads everything again. A
    file is known by path, inode, size and time of change.
    """
    born = folder / ".dvc" / "tmp" / "btime"
    born.parent.mkdir(parents=True, exist_ok=True)
    born.touch()
    os.utime(born, (0, 0))
