"""Which split a row belongs to: a hash decides, so that a row never moves when others come."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.core.errors import DataError
from pipeline.core.params import SplitShares

SPLITS = ("train", "validation", "test")


def unit_hash(*parts: str) -> float:
    """A number in [0, 1) that depends on `parts` alone, uniform over different ones."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    # 53 bits: what a float holds exactly, so that the largest stays under 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def split_of(cluster: str, *, salt: str, shares: SplitShares) -> str:
    """The split of a duplicate cluster.

    Test takes the low end and train the high end of the range, so more training data bought by a
    larger train share never come out of test.
    """
    point = unit_hash(salt, cluster)
    if point < shares.test:
        return "test"
    return "validation" if point < shares.test + shares.validation else "train"


def check_splits(
    splits: Sequence[str], row_labels: Sequence[str], *, labels: Iterable[str]
) -> dict[str, dict[str, int]]:
    """Rows of each label in each split.

    Raises:
        DataError: a split is empty, or a label is missing from one.
    """
    counts = Counter(zip(splits, row_labels, strict=True))
    table = {split: {label: counts[split, label] for label in labels} for split in SPLITS}
    for split, by_label in table.items():
        missing = [label for label, count in by_label.items() if not count]
        if missing:
            what = "is empty" if len(missing) == len(by_label) else f"lacks {', '.join(missing)}"
            raise DataError(
                f"the {split} split {what}",
                expected="rows of every label in train, validation and test",
                next_step="add rows, or change prepare.shares (a new salt moves every row)",
            )
    return table
