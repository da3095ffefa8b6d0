"""Packed rows: one stream of tokens cut into rows of one length, so that nothing is padding."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.text.batching import Ids


class TokenFile:
    """A one-dimensional `.npy` file of which slices are read from disk, each when it is asked for.

    Unlike a memory map, it leaves no pages behind: a corpus ten times as long takes no more memory.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r")
        self._path, self._offset = path, mapped.offset
        self._kind, self._length = mapped.dtype, len(mapped)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> NDArray[Any]:
        start, stop, _ = part.indices(self._length)
        offset = self._offset + start * self._kind.itemsize
        return np.fromfile(self._path, self._kind, max(stop - start, 0), offset=offset)


@dataclass(frozen=True)
class PackedRows:
    """Rows of a stream.

    Attributes:
        stream: token ids of all documents, joined, `(tokens,)`.
        length: tokens of a row.
    """

    stream: NDArray[Any] | TokenFile
    length: int

    @property
    def count(self) -> int:
        """Whole rows in the stream."""
        return len(self.stream) // self.length

    def read(self, rows: Ids) -> Ids:
        """The named rows, `(batch, length)`; only their part of the stream is read."""
        parts = [self.stream[row * self.length : (row + 1) * self.length] for row in rows]
        return np.stack(parts).astype(np.int64)


def row_batches(rows: int, *, batch_size: int, seed: int, epoch: int) -> list[Ids]:
    """Row numbers of each batch of one epoch, in an order that is a function of seed and epoch."""
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return [order[start : start + batch_size] for start in range(0, rows, batch_size)]


def documents_of(stream: NDArray[Any], *, end: int) -> list[Ids]:
    """The documents in a stream, each without its closing `end`."""
    ends = np.flatnonzero(stream == end)
    starts = np.concatenate([[0], ends[:-1] + 1])
    return [stream[a:b].astype(np.int64) for a, b in zip(starts, ends, strict=True)]
