"""Puts rows that were fetched later behind those of an earlier fetch, each row once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.equal_rows import hashes_of
from pipeline.data.tables import column_names, read_batches, table_writer


@dataclass(frozen=True, kw_only=True)
class Joined:
    """How the rows of two files became those of one.

    Attributes:
        rows: of the file that was written; 0 where nothing was new, and none was.
        new: rows that the old file did not have.
        replaced: rows of the old file that made place for a new one with their key.
    """

    rows: int = 0
    new: int = 0
    replaced: int = 0


def join_newer(
    old: Path,
    new: Path,
    out: Path,
    *,
    since: str,
    key: str | None,
    note: Mapping[bytes, bytes] | None = None,
) -> Joined:
    """Writes the rows of `old` and behind them those of `new`, whole or not at all, and says how many came.

    A row that both files have, cell for cell, stays where it is. With a key, a changed row takes the
    place of the old one. Where nothing is new, nothing is written.

    Args:
        old, new: Parquet files with the same columns of text.
        since: column by whose value new rows were chosen, so that equal rows have equal values.
        key: column that tells rows apart; None where there is none.
        note: metadata of the written file.
    """
    known = _hashes_of_rows(old, since, among=_values(new, since))
    masks = [_is_new(batch, known) for batch in read_batches(new)]
    count = sum(int(mask.sum()) for mask in masks)
    if not count:
        return Joined()
    changed = _values(new, key, masks=masks) if key else None
    schema = pa.schema([(name, pa.string()) for name in column_names(old)], metadata=note)
    before = 0
    with table_writer(out, schema) as writer:
        for batch in read_batches(old):
            before += len(batch)
            stays = [True] * len(batch)
            if key is not None:
                stays = pc.invert(pc.is_in(batch.column(key), value_set=changed))
            writer.add(pa.table(batch.filter(pa.array(stays))))
        stayed = writer.written
        for batch, mask in zip(read_batches(new), masks, strict=True):
            writer.add(pa.table(batch.filter(pa.array(mask))))
        return Joined(rows=writer.written, new=count, replaced=before - stayed)


def _values(file: Path, column: str, *, masks: list[NDArray[np.bool_]] | None = None) -> pa.Array:
    """The different values of a column, of the rows of the masks alone."""
    found = pa.array([], pa.string())
    for number, batch in enumerate(read_batches(file)):
        values = batch.column(column)
        if masks is not None:
            values = values.filter(pa.array(masks[number]))
        found = pa.concat_arrays([found, values.drop_null()]).unique()
    return found


def _hashes_of_rows(file: Path, column: str, *, among: pa.Array) -> set[bytes]:
    """Hashes of the rows whose value in a column is one of these."""
    found: set[bytes] = set()
    for batch in read_batches(file):
        some = batch.filter(pc.is_in(batch.column(column), value_set=among))
        found.update(_hashes(some))
    return found


def _is_new(batch: pa.RecordBatch, known: set[bytes]) -> NDArray[np.bool_]:
    return np.fromiter((found not in known for found in _hashes(batch)), np.bool_, len(batch))


def _hashes(batch: pa.RecordBatch) -> Iterator[bytes]:
    """A hash of all cells of each row, among which null is another than an empty text."""
    columns = [column.to_pylist() for column in batch.columns]
    rows = (json.dumps(row) for row in zip(*columns, strict=True))
    return (found.tobytes() for found in hashes_of(rows))
