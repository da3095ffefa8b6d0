"""Finds rows of the data by their ids, or by their texts in one pass over all rows."""

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from pipeline.annotation.row_file import LabellingRow, RowFile
from pipeline.core.cleaning import clean


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRows:
    """Rows of the data.

    Attributes:
        by_id: id → its row.
        by_text: each of `keys_of` the texts of a row → the row.
    """

    by_id: dict[str, LabellingRow]
    by_text: dict[str, LabellingRow]


def find_rows(rows: RowFile, *, ids: Collection[str], texts: Set[str] = frozenset()) -> FoundRows:
    """The rows that have one of these ids, or of these texts, which are as `keys_of` gives them."""
    found = FoundRows(by_id={}, by_text={})
    there = (place for row in ids if (place := rows.place(row)) is not None)
    for place in sorted({*there, *_places_of(rows, texts)}):
        row = rows.row(place)
        found.by_id[row.id] = row
        for key in row_keys(row):
            found.by_text.setdefault(key, row)
    return found


def rows_without(rows: RowFile, *, ids: Collection[str], most: int) -> Iterator[LabellingRow]:
    """The first rows, `most` of them, that have no label of their source, and none of these ids.

    Ids are hashes and the rows are in their order, so the first ones are a random choice.
    """
    waits = (rows.row(int(place)) for place in np.flatnonzero(rows.waiting(pairs=False)))
    open_rows = (row for row in waits if row.id not in ids)
    for _, row in zip(range(most), open_rows, strict=False):
        yield row


def keys_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The keys by which texts in another tool's file may be found: as they are, and cleaned.

    Two texts count as one, as tools show them.
    """
    whole = "\n\n".join(filter(None, texts))
    return whole, clean(whole)


def row_keys(row: LabellingRow) -> tuple[str, ...]:
    """The keys by which a row of the data may be found; its texts are clean, two of them together are not."""
    return (row.text,) if row.second is None else keys_of([row.text, row.second])


def _places_of(rows: RowFile, texts: Set[str]) -> Iterator[int]:
    """The places of the rows that have one of the texts."""
    if not texts:
        return
    for place, (text, second) in enumerate(rows.texts()):
        keys = (text,) if second is None else keys_of([text, second])
        if not texts.isdisjoint(keys):
            yield place
