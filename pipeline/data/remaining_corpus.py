"""The corpus without rows that people labelled and without texts that hold one of theirs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.leaking_rows import leaks
from pipeline.data.records import Record
from pipeline.data.row_batches import records_of
from pipeline.data.row_ids import Ids, numbers_of
from pipeline.data.tables import read_batches
from pipeline.data.text_sequence import stored_texts
from pipeline.text.bare_words import bare_words, bare_words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingRows:
    """Rows of a Parquet table, some of which stay.

    Attributes:
        stays: whether each row does, `(rows,)`.
    """

    path: Path
    stays: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many rows stay."""
        return int(self.stays.sum())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that stay, in order."""
        start = 0
        if not self.stays.any():
            return
        for batch in read_batches(self.path):
            yield batch.filter(pa.array(self.stays[start : start + len(batch)]))
            start += len(batch)

    def records(self) -> Iterator[Record]:
        """The rows that stay as objects, one after the other."""
        for batch in self.batches():
            yield from records_of(batch)


def without_labelled(
    path: Path, ids: Ids, new: Sequence[Record], *, similarity: float, folder: Path
) -> tuple[RemainingRows, int]:
    """The rows of a corpus but the new ones and those that leak one of their texts; how many leak.

    Args:
        ids: of all rows of the corpus.
        new: single texts of it that people labelled.
        similarity: as `near_pairs` has it.
        folder: where temporary files may be.
    """
    taken = numbers_of([row.id for row in new])
    rest = RemainingRows(path=path, stays=~np.isin(ids, taken))
    words = stored_texts(
        (
            pa.array(bare_words_of(batch.column("text").to_pylist()), pa.string())
            for batch in rest.batches()
        ),
        folder=folder,
    )
    found = leaks(words, [bare_words(row.text) for row in new], similarity=similarity)
    stays = rest.stays.copy()
    stays[stays] = found == 0
    return RemainingRows(path=path, stays=stays), int(np.count_nonzero(found))
