"""Batches of rows of similar length, and their padding.

A batch is as long as its longest row. Rows are sorted by length within pools of shuffled rows, so
that a batch has rows of similar length and the batches still differ in every epoch. For short
sentences this saves most of the arithmetic that padding would cost.
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
    """Batches of all rows, the longest first, for prediction."""
    order = np.argsort(-lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def pad(rows: Sequence[Sequence[int]], *, pad_token_id: int) -> tuple[Ids, Ids]:
    """Padded token ids and their attention mask, both `(batch, longest row)`."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_token_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def lengths_of(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The number of tokens in each row, `(rows,)`."""
    return np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
