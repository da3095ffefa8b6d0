"""Brings the ledgers of splits into a worktree, and what is dealt there back to the main root."""

import shutil
from filecmp import cmp
from pathlib import Path

from pipeline.core.file_lock import Holder, waited_lock
from pipeline.core.paths import Paths
from pipeline.core.split_files import add_ledgers, is_ledger_of


def bring_splits(source: Path, target: Path, *, product: str) -> None:
    """Makes the folder `target` hold the product's ledgers of `source`, as copies that a build may add to.

    Those of other products stay away: a build of one would make `label` of another run again.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in source.glob("*.csv"):
        if file.is_file() and is_ledger_of(product, file):
            shutil.copyfile(file, target / file.name)


def return_splits(workspace: Path, root: Path, *, with_moves: bool) -> None:
    """Adds to the root's ledgers what a build in a worktree dealt; one process at a time does so.

    Args:
        with_moves: whether texts that it moved move in the root, too.
    """
    dealt, known = Paths(workspace).splits, Paths(root).splits
    if all(
        (known / file.name).is_file() and cmp(file, known / file.name, shallow=False)
        for file in dealt.glob("*.csv")
    ):
        return

    def waiting(holder: Holder, seconds: float) -> None:
        del holder, seconds  # it takes milliseconds

    with waited_lock(Paths(root).stage_locks / "splits", what="adding to splits/", waiting=waiting):
        known.mkdir(exist_ok=True)
        add_ledgers(dealt, known, with_moves=with_moves)
