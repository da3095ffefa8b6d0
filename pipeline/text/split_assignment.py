"""Deals clusters of near copies to splits by a hash, and refuses splits that cannot be judged on."""

import hashlib
from collections.abc import Sequence

from pipeline.core.errors import DataError
from pipeline.core.sections import SplitShares
from pipeline.problem.problem import Problem

SPLITS = ("train", "validation", "test")


def unit_hash(*parts: str) -> float:
    """A uniform pseudo-random number in [0, 1), a function of `parts`."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    # A float holds 53 bits exactly; with more, the largest would round up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def split_of(cluster: str, *, salt: str, shares: SplitShares) -> str:
    """The split of a duplicate cluster.

    Test has the low end and train the high end of the range, so a larger train share never takes
    rows from test.
    """
    point = unit_hash(salt, cluster)
    if point < shares.test:
        return "test"
    return "validation" if point < shares.test + shares.validation else "train"


def check_splits(
    splits: Sequence[str],
    targets: Sequence[Sequence[float]],
    *,
    problem: Problem,
    labels: Sequence[str],
) -> None:
    """Refuses splits on which a model cannot be trained or tested.

    Args:
        targets: of each row, as the problem's `target` makes them.

    Raises:
        DataError: a split is empty, or a label is missing from one; regression: all its numbers are
            equal.
    """
    for split in SPLITS:
        rows = [target for name, target in zip(splits, targets, strict=True) if name == split]
        if fault := problem.split_fault(rows, labels) if rows else "is empty":
            raise DataError(
                f"the {split} split {fault}",
                expected=problem.words.every_split,
                next_step="add rows that are no near copies of others (those stay in one split), or"
                " change prepare.salt, which deals all rows anew, or prepare.shares",
            )
