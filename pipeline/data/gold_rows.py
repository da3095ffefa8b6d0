"""Labelled rows with their gold labels: some bytes a row in memory, and their texts in a temporary file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.artifacts.table_columns import SOFT, SOURCE_ID
from pipeline.data.annotations import Annotations
from pipeline.data.label_cells import LabelCells, label_cells
from pipeline.data.newly_labelled import joined_clusters
from pipeline.data.records import Record
from pipeline.data.row_batches import rows_of, source_ids_of
from pipeline.data.row_ids import Ids, ids_of, numbers_of
from pipeline.data.split_ledger import text_keys
from pipeline.data.stored_rows import StoredRows, parts_of
from pipeline.data.tables import read_batches
from pipeline.data.text_sequence import stored_texts
from pipeline.problem.problem import Problem
from pipeline.text.bare_words import bare_lines

_KEPT = ("id", "source", SOURCE_ID, "text", "second")
_STORED = pa.schema([(name, pa.string()) for name in (*_KEPT, "words")])
_NUMBERS = pa.list_(pa.float64())
_BYTES_OF_A_ROW, _BYTES_AT_ONCE = 64, 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldRows:
    """Labelled rows, and after them those of the corpus that people labelled.

    Attributes:
        stored: the rows, without their labels.
        ids: `(rows,)`.
        clusters: numbers of the ids that name their clusters, `(rows,)`.
        cells: their gold labels.
        keys: of their texts in the ledger of splits, `(rows,)`.
        sizes: bytes of their texts, `(rows,)`.
        changed: how many have another label than their source says.
    """

    stored: StoredRows
    ids: Ids
    clusters: Ids
    cells: LabelCells
    keys: Ids
    sizes: NDArray[np.int64]
    changed: int

    def parts(
        self,
        targets: Sequence[Sequence[float]],
        splits: pa.Array,
        *,
        soft: Mapping[str, Sequence[float]],
    ) -> Iterator[pa.Table]:
        """The rows by id with label, cluster, target, split and soft label, in tables of a bounded size.

        Args:
            targets: of each of `cells.different`.
            splits: of each row.
            soft: row id → its soft label, for the rows that have one.
        """
        order, of_cells = np.argsort(self.ids), pa.array(targets, _NUMBERS)
        for part in parts_of(self.sizes[order] + _BYTES_OF_A_ROW, _BYTES_AT_ONCE):
            rows = order[part]
            codes, places = pa.array(self.cells.codes[rows]), pa.array(rows)
            table = self.stored.take(rows, _KEPT)
            for name, column in (
                ("label", self.cells.different.array.take(codes)),
                ("cluster", ids_of(self.clusters[rows])),
                ("target", of_cells.take(codes)),
                ("split", splits.take(places)),
                (SOFT, _soft(table["id"], soft)),
            ):
                table = table.append_column(name, column)
            yield table


def _soft(ids: pa.ChunkedArray, soft: Mapping[str, Sequence[float]]) -> pa.Array:
    """The soft label of each row, null where there is none."""
    if not soft:
        return pa.nulls(len(ids), _NUMBERS)
    return pa.array([soft.get(row) for row in ids.to_pylist()], _NUMBERS)


class _Reader:
    """Reads labelled rows batch by batch, gives them their gold labels, and keeps what stays in memory."""

    def __init__(self, votes: Annotations, problem: Problem, labels: Sequence[str]) -> None:
        self._votes, self._problem, self._labels = votes, problem, labels
        self._voted = numbers_of([*votes])
        self.changed = 0
        self.ids, self.clusters, self.keys = ([np.zeros(0, dtype=np.uint64)] for _ in range(3))
        self.sizes = [np.zeros(0, dtype=np.int64)]
        self.cells: list[pa.ChunkedArray] = []

    def read(self, batch: pa.RecordBatch, *, is_gold: bool = False) -> pa.RecordBatch:
        """Takes rows with the columns of `ValidatedRecords`, or of the corpus; returns them as stored.

        Args:
            is_gold: whether the labels are what people gave.
        """
        names = batch.column("id").to_pylist()
        ids, labels = numbers_of(names), batch.column("label")
        voted = np.flatnonzero(np.isin(ids, self._voted))
        if len(voted) and not is_gold:
            labels = self._merged(names, labels.to_pylist(), voted)
        texts, seconds = batch.column("text"), batch.column("second")
        words = bare_lines(texts.to_pylist(), seconds.to_pylist())
        sizes = pc.add(pc.binary_length(texts), pc.fill_null(pc.binary_length(seconds), 0))
        self.ids.append(ids)
        self.keys.append(text_keys(words))
        self.sizes.append(sizes.to_numpy(zero_copy_only=False).astype(np.int64))
        self.cells.append(pa.chunked_array([labels]))
        if not is_gold:
            self.clusters.append(numbers_of(batch.column("cluster").to_pylist()))
        kept = [batch.column("id"), batch.column("source"), source_ids_of(batch), texts, seconds]
        return pa.RecordBatch.from_arrays([*kept, pa.array(words, pa.string())], schema=_STORED)

    def _merged(
        self, names: Sequence[str], labels: list[str | None], voted: NDArray[np.int64]
    ) -> pa.StringArray:
        """The labels, with those that the votes give to some of the rows."""
        for row in voted.tolist():
            before, votes = labels[row], [*self._votes[names[row]].values()]
            gold = self._problem.merged(votes, labels=self._labels, otherwise=before or "")
            self.changed += gold != before
            labels[row] = gold
        return pa.array(labels, pa.string())


def gold_rows(
    path: Path,
    new: Sequence[Record],
    votes: Annotations,
    *,
    problem: Problem,
    labels: Sequence[str],
    similarity: float,
    folder: Path,
) -> GoldRows:
    """The rows of a table, with the labels that people gave them, and the new ones in their clusters.

    Args:
        path: a Parquet table with the columns of `ValidatedRecords`.
        new: rows of the corpus with their labels (see `newly_labelled`).
        similarity: that of near copies, by which new rows join a cluster.
        folder: where temporary files may be.
    """
    reader = _Reader(votes, problem, labels)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in read_batches(path):
            yield reader.read(batch)
        for batch in rows_of(sorted(new, key=lambda row: row.id)).batches:
            yield reader.read(batch, is_gold=True)

    stored = StoredRows(batches(), _STORED, folder=folder)
    ids, clusters = np.concatenate(reader.ids), np.concatenate(reader.clusters)
    if new:
        tables = (stored.take(np.arange(len(stored))[part], ["words"]) for part in _parts(reader))
        words = stored_texts((c for table in tables for c in table["words"].chunks), folder=folder)
        clusters = joined_clusters(words, clusters, ids[len(clusters) :], similarity=similarity)
    return GoldRows(
        stored=stored,
        ids=ids,
        clusters=clusters,
        cells=label_cells(reader.cells),
        keys=np.concatenate(reader.keys),
        sizes=np.concatenate(reader.sizes),
        changed=reader.changed,
    )


def _parts(reader: _Reader) -> Iterator[slice]:
    yield from parts_of(np.concatenate(reader.sizes) + _BYTES_OF_A_ROW, _BYTES_AT_ONCE)
