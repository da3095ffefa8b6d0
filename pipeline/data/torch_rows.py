"""Gives the rows of a data version to torch's DataLoader: the one module of `data` that imports torch."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from torch.utils.data import IterableDataset, get_worker_info

Batches = Callable[..., Iterator[pa.RecordBatch]]


class VersionDataset(IterableDataset[dict[str, Any]]):
    """A stream of rows, each a dictionary by column; the workers of a DataLoader share the rows.

    Args:
        batches: reads the rows, or a share of them where it is told `part` and `parts`.
        rows: how many rows all workers together give.
    """

    def __init__(self, batches: Batches, *, rows: int) -> None:
        self._batches = batches
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = get_worker_info()
        part, parts = (worker.id, worker.num_workers) if worker else (0, 1)
        for batch in self._batches(part=part, parts=parts):
            yield from batch.to_pylist()
