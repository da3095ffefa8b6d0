"""Finds ids that two rows share, in sorted files of ids, of which a part at a time is in the memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.row_ids import Ids, ids_of

HELD_IDS = 1_000_000
"""Ids that are compared at once, about."""


def refuse_repeated_ids(files: Sequence[Path], *, held: int = HELD_IDS) -> None:
    """Raises DataError where an id occurs twice: two sources hold the same rows under one name.

    Args:
        files: each with ids as numbers of 8 bytes, in order.
        held: ids that are compared at once, about.
    """
    most, identifier = 1, np.zeros(1, np.uint64)
    for ids in _ranges(files, held):
        values, counts = np.unique(ids, return_counts=True)
        if len(counts) and counts.max() > most:
            most, identifier = int(counts.max()), values[[counts.argmax()]]
    if most > 1:
        raise DataError(
            f"the id {ids_of(identifier)[0]} occurs {most} times",
            expected="an id for each row",
            next_step="give each source in the product file its own name",
        )


def _ranges(files: Sequence[Path], held: int) -> Iterator[Ids]:
    """All ids of the files, range by range, so that equal ones come together."""
    sorted_ids = [np.memmap(file, np.uint64, mode="r") for file in files]
    ranges = sum(map(len, sorted_ids)) // held + 1
    edges = np.array([(number << 64) // ranges for number in range(1, ranges)], np.uint64)
    cuts = [[0, *np.searchsorted(ids, edges).tolist(), len(ids)] for ids in sorted_ids]
    del sorted_ids  # pages of it that were read count as this process's memory
    for number in range(ranges):
        parts = []
        for file, cut in zip(files, cuts, strict=True):
            start, end = cut[number], cut[number + 1]
            parts.append(np.fromfile(file, np.uint64, count=end - start, offset=8 * start))
        yield np.concatenate(parts)
