"""Remove what nothing names any more, and say what and how many bytes.

    modelyard tidy [--keep 10] [--dry-run]

The newest `keep` builds, searches, snapshots, interrupted trainings and downloads and notes of DVC stay, and, whatever their age: what
a ledger names, what the last build of a product or of a retraining needs, what a worktree or a commit
names. Of DVC's cache goes what then no dvc.lock and no .dvc file names. No build and no release runs meanwhile.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flows.execution.cache_lock import cache_alone
from flows.execution.dvc_cache import cache_folder
from flows.execution.dvc_garbage import lock_texts, named_hashes, unnamed_entries
from flows.execution.workspace import kept_builds, prune_worktrees
from flows.retrain import WORKSPACE
from flows.search import is_searching
from pipeline.core.databases import MLFLOW_VARIABLE, name_of_database
from pipeline.core.errors import ReleaseError
from pipeline.core.paths import Paths, sqlite_url
from pipeline.core.progress import say
from pipeline.release.mlflow_records import active_names, noted_databases
from pipeline.release.state import all_states

DEFAULT_KEEP = 10
_BUNDLE = re.compile(r"[0-9a-f]{64}")
_RUN, _EXPERIMENT = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9]{1,20}")
"""How MLflow names the folders of a run and of an experiment."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A file or folder that goes, and what it is."""

    kind: str
    path: Path

    @property
    def bytes(self) -> int:
        """Its size with all that it holds."""
        if not self.path.is_dir():
            return self.path.lstat().st_size
        return sum(file.lstat().st_size for file in self.path.rglob("*") if not file.is_dir())

    def remove(self) -> None:
        """Removes it; a link alone, not where it leads."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


def tidy(root: Path, *, keep: int = DEFAULT_KEEP, dry_run: bool = False) -> list[Removal]:
    """Removes what nothing names, unless it is a dry run; prints and returns it.

    Raises:
        PipelineError: a build or a release runs.
    """
    with ExitStack() as held:
        held.enter_context(cache_alone(cache_folder(root)))
        for state in all_states(root):
            held.enter_context(state.lock())
        prune_worktrees(root)
        removals = list(plan(root, keep))
        total = 0
        for kind in dict.fromkeys(removal.kind for removal in removals):
            some = [removal for removal in removals if removal.kind == kind]
            size = sum(removal.bytes for removal in some)
            total += size
            names = ", ".join(removal.path.name for removal in some[:_SHOWN])
            say(f"{kind}  {len(some)}, {megabytes(size)}: {names}{', …' * (len(some) > _SHOWN)}")
        for removal in removals if not dry_run else ():
            removal.remove()
    say(f"in all  {len(removals)}, {megabytes(total)}")
    return removals


def plan(root: Path, keep: int) -> Iterator[Removal]:
    """All that can go, by kind."""
    state = Paths(root).state
    builds = _old_builds(root, keep)
    staying = {path.name for path in kept_builds(root)} - {path.name for path in builds}
    worktrees = {path.name for path in state.glob("worktrees/*/")}
    yield from _all("builds", builds)
    logs = sorted((state / "logs").glob("*/"))
    yield from _all("logs", [log for log in logs if log.name not in staying | worktrees])
    yield from _all("searches", _old_searches(state, keep))
    yield from _all("releases", _unnamed_releases(root))
    yield from _all("snapshots", _newest_first(state.glob("snapshots/*.json"))[keep:])
    yield from _all("checkpoints", _newest_first(state.glob("checkpoints/*/*/"))[keep:])
    yield from _all("downloads", _newest_first(state.glob("fetch/*/"))[keep:])
    yield from _all("dvc notes", _old_notes(root, keep))
    yield from _all("mlartifacts", _unnamed_artifacts(root))
    cache = cache_folder(root)
    named = named_hashes(cache, lock_texts(root, without=builds, commits=max(keep, 1)))
    yield from _all("cache", unnamed_entries(cache, named))


def megabytes(size: int) -> str:
    """A number of bytes in MB of 10⁶."""
    return f"{size / 1e6:,.1f} MB"


def _all(kind: str, paths: Iterable[Path]) -> Iterator[Removal]:
    return (Removal(kind=kind, path=path) for path in paths)


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: -path.stat().st_mtime)


def _old_builds(root: Path, keep: int) -> list[Path]:
    """Kept builds but the newest; those of products, retrainings and worktrees stay at any age."""
    products = {state.product for state in all_states(root)}
    living = {path.name for path in (Paths(root).state / "worktrees").glob("*/")}
    return [
        path
        for path in kept_builds(root)[keep:]
        if path.name not in products | living and not path.name.startswith(WORKSPACE)
    ]


def _old_searches(state: Path, keep: int) -> list[Path]:
    """Folders of searches but the newest; one that runs stays."""
    return [
        path for path in _newest_first(state.glob("search/*/"))[keep:] if not is_searching(path)
    ]


def _old_notes(root: Path, keep: int) -> list[Path]:
    """Notes of DVC on the files of a workspace, but the newest; without one it reads them again."""

    def changed(folder: Path) -> float:
        return max((file.stat().st_mtime for file in folder.rglob("*.db")), default=0.0)

    return sorted(Paths(root).dvc_state.glob("repo/*/"), key=changed, reverse=True)[keep:]


def _unnamed_releases(root: Path) -> Iterator[Path]:
    """Copies of bundles, and what lies beside them, that neither ledger nor pointer nor journal names."""
    for state in all_states(root):
        files = [path for path in state.folder.glob("*.json*") if path.is_file()]
        named = {found for path in files for found in _BUNDLE.findall(path.read_text("utf-8"))}
        for path in sorted(state.releases.glob("*")):
            if path.name[:64] not in named:
                yield path


def _unnamed_artifacts(root: Path) -> Iterator[Path]:
    """Folders of runs and models that no database of MLflow has, or has as deleted.

    Where there is a team's database, the project's own of before still names its files. Where one of those
    is not asked, or does not answer, everything stays.
    """
    own, now = sqlite_url(Paths(root).mlflow_database.resolve()), Paths(root).tracking_uri
    addresses = {now} if now != own else set()
    unasked = noted_databases(root) - {name_of_database(address) for address in addresses}
    if unasked:
        say(
            f"tidy  mlartifacts stays: {MLFLOW_VARIABLE} named {len(unasked)} other database(s) before"
        )
        return
    if Paths(root).mlflow_database.exists():
        addresses.add(own)
    if not addresses:
        return
    try:
        named = set[str]().union(*map(active_names, addresses))
    except ReleaseError as error:
        say(f"tidy  mlartifacts stays: {error.got}")
        return
    for path in _runs_and_models(root / "mlartifacts"):
        if path.name not in named:
            yield path


def _runs_and_models(folder: Path) -> Iterator[Path]:
    """Their folders: `RUN` and `models/MODEL`, also in folders of experiments that MLflow's server made."""
    for path in sorted(folder.glob("*/")):
        if path.name == "models":
            yield from sorted(path.glob("*/"))
        elif _RUN.fullmatch(path.name):
            yield path
        elif _EXPERIMENT.fullmatch(path.name):
            yield from _runs_and_models(path)
