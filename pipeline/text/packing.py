"""Packed rows: one stream of tokens cut into rows of equal length, without padding."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.text.batching import Ids


class TokenFile:
    """A one-dimensional `.npy` file whose slices are read from disk on demand.

    Unlike a memory map, it keeps no pages in memory: a corpus ten times as long takes no more
    memory.
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
    """Rows cut from a stream of tokens.

    Attributes:
        stream: the joined token ids of all documents, `(tokens,)`.
        length: tokens of a row.
    """

    stream: NDArray[Any] | TokenFile
    length: int

    @property
    def count(self) -> int:
        """The number of whole rows in the stream."""
        return len(self.stream) // self.length

    def read(self, rows: Ids) -> Ids:
        """Reads the rows with these numbers, `(batch, length)`, and no other part of the stream."""
        parts = [self.stream[row * self.length : (row + 1) * self.length] for row in rows]
        return np.stack(parts).astype(np.int64)


def row_batches(rows: int, *, batch_size: int, seed: int, epoch: int) -> list[Ids]:
    """The row numbers of each batch of one epoch, a pure function of its arguments."""
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return [order[start : start + batch_size] for start in range(0, rows, batch_size)]


def documents_of(stream: NDArray[Any], *, end: int) -> list[Ids]:
    """The documents in a stream, each without its closing `end`."""
    ends = np.flatnonzero(stream == end)
    starts = np.concatenate([[0], ends[:-1] + 1])
    return [stream[a:b].astype(np.int64) for a, b in zip(starts, ends, strict=True)]
