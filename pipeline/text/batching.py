"""Batches of rows of like length, and their padding.

Sentences differ in length; a batch is as long as its longest row. Rows are sorted by length within
pools of shuffled rows, so that a batch holds rows of like length and yet every epoch's batches
differ. On short-sentence tasks this saves most of the arithmetic that padding would cost.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

_POOL_BATCHES = 50


def epoch_batches(
    lengths: NDArray[np.int64], *, batch_size: int, seed: int, epoch: int
) -> list[Ids]:
    """The row numbers of each batch of one epoch, a pure function of its arguments.

    Args:
        lengths: tokens of each row, `(rows,)`.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pool = batch_size * _POOL_BATCHES
    batches: list[Ids] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]


def sorted_batches(lengths: NDArray[np.int64], *, batch_size: int) -> list[Ids]:
    """All rows once, longest batches first, for passes that only read."""
    order = np.argsort(-lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def pad(rows: Sequence[Sequence[int]], *, pad_token_id: int) -> tuple[Ids, Ids]:
    """Token ids and attention mask, both `(batch, longest row)`."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_token_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def lengths_of(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Tokens of each row, `(rows,)`."""
    return np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
