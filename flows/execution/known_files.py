"""Lets DVC know in one workspace which files it has read in another, so that large data are read once.

DVC knows a file by its path, inode, size and time of change. A worktree shows the same file at
another path, and a clone of it has an inode of its own.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flows.execution.data_links import COPIED_BYTES
from pipeline.core.paths import Paths

_LARGE_BYTES = 1_000_000


def large_files(workspace: Path, folders: Iterable[str]) -> list[Path]:
    """Names of the files in these folders that DVC should not read twice."""
    return [
        file.relative_to(workspace)
        for folder in folders
        for file in (workspace / folder).rglob("*")
        if file.is_file() and file.stat().st_size > _LARGE_BYTES
    ]


def tell_what_is_known(source: Path, target: Path, *, root: Path, names: Iterable[Path]) -> None:
    """Notes for DVC in `target` the hashes that it knows in `source`, of the files that are the same.

    Args:
        root: the main root, which holds what DVC knows of all workspaces.
        names: of files, below both.
    """
    from dvc_objects.fs.local import LocalFileSystem

    same = [name for name in names if _are_same(source / name, target / name)]
    if not same:
        return
    local = LocalFileSystem()  # type: ignore[no-untyped-call]
    with _known_by_dvc(source, root) as known, _known_by_dvc(target, root) as told:
        places = {f"{known.root_dir}/{name}": f"{told.root_dir}/{name}" for name in same}
        found = known.get_many(list(places), local, {})
        told.save_many([(places[path], value, None) for path, _, value in found if value], local)


def _are_same(one: Path, other: Path) -> bool:
    """Whether two files are one, or a clone that nobody has written to since.

    A copy, which none of that size is, may hold what was there before the time that it bears.
    """
    try:
        a, b = one.stat(), other.stat()
    except OSError:
        return False
    alike = (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)
    return os.path.samestat(a, b) or (alike and a.st_size > COPIED_BYTES)


@contextmanager
def _known_by_dvc(workspace: Path, root: Path) -> Iterator[Any]:
    """DVC's own record of the files of a workspace."""
    from dvc.repo import Repo

    settings = {"core": {"site_cache_dir": str(Paths(root).dvc_state)}}
    with closing(Repo(str(workspace), config=settings)) as repo:
        yield repo.state
