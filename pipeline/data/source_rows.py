"""Reads the rows of a source into batches of columns, in the order of its file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.errors import DataError
from pipeline.core.sections import Source
from pipeline.data.columns import says_nothing
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.layout import FileRow, Layout
from pipeline.data.reading_progress import with_progress
from pipeline.data.records import id_bytes
from pipeline.data.row_buckets import SCHEMA, WITH_SOURCE_IDS
from pipeline.data.row_ids import id_numbers
from pipeline.data.row_rights import RowRights
from pipeline.data.rows import read_rows
from pipeline.data.source_ids import SourceIds
from pipeline.data.sources import encodable
from pipeline.data.wanted_columns import composed
from pipeline.problem.labelling import Labelling
from pipeline.problem.problem import Problem

BATCH_ROWS = 8_192
BATCH_CHARACTERS = 4_000_000
"""A batch ends after so many rows, or where its texts have so many characters."""
_KNOWN_CELLS = 10_000
"""Most different label cells whose meaning is remembered."""


def batches_of(
    source: Source,
    file: Path,
    *,
    problem: Problem,
    labels: Sequence[str],
    rights: RowRights | None = None,
    own: SourceIds | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of a source; the id of each is the one that the first row with its texts has.

    Args:
        rights: judges which rows may be used, and counts them; without it, all may.
        own: for a source with `id_column`, takes the own ids, and refuses one of two texts.

    Raises:
        DataError: a column is missing, a label is not the product's, an own id is empty or that of two
            texts, or there is no row.
    """
    texts = (source.text_column, source.second_text_column)
    named = (*texts, source.label_column, source.id_column, *source.where)
    rows = read_rows(
        file,
        columns=[*dict.fromkeys([*filter(None, named), *(rights.columns if rights else ())])],
        lists=[source.label_column] if source.label_column else [],
        ids=[source.id_column] if source.id_column else [],
        layout=Layout(encoding=source.encoding, separator=source.separator),
    )
    reader = _SourceReader(source, file.name, problem, labels, rights, own)
    found = False
    for batch in reader.batches(with_progress(rows, file, task=f"collect  {source.name}")):
        found = True
        yield batch
    if not found:
        raise DataError(
            f"source {source.name}: {file.name} has no row to read",
            expected=f"rows where {source.where}" if source.where else "at least one row",
            next_step="correct `where` or the file"
            if rights is None
            else f"correct `where`, `rights` or the file; left out: {rights.report().left_out}",
        )
    if own is not None:
        own.refuse_shared(f"source {source.name}, {file.name}")


class _SourceReader:
    """Makes batches of the rows of one source."""

    def __init__(
        self,
        source: Source,
        file: str,
        problem: Problem,
        labels: Sequence[str],
        rights: RowRights | None,
        own: SourceIds | None,
    ) -> None:
        self._rights, self._own = rights, own
        self._source, self._file, self._problem, self._labels = source, file, problem, labels
        self._labelling = Labelling(labels, source.label_values, source.label_separator or "")
        self._where = [(name, composed(value)) for name, value in source.where.items()]
        self._known: dict[str, str | None] = {}

    def batches(self, rows: Iterator[FileRow]) -> Iterator[pa.RecordBatch]:
        """The wanted rows, so many at once that a batch is small."""
        # An object a row would have Python look for garbage again and again.
        ids: list[bytes] = []
        texts: list[str] = []
        seconds: list[str | None] = []
        labels: list[str | None] = []
        own: list[str] = []
        lines: list[int] = []
        columns: tuple[list[Any], ...] = (ids, texts, seconds, labels, own, lines)
        characters = 0
        for line, row in rows:
            if self._where and any(composed(row[name]) != value for name, value in self._where):
                continue
            if self._rights and self._rights.reason(row, where=self._place(line)):
                continue
            identifier, text, second, label = self._read(line, row)
            ids.append(identifier)
            texts.append(text)
            seconds.append(second)
            labels.append(label)
            if self._source.id_column is not None:
                own.append(self._own_id(row[self._source.id_column], line))
                lines.append(line)
            characters += len(text) + len(second or "")
            if len(ids) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
                yield self._batch(*columns)
                characters = 0
                for column in columns:
                    column.clear()
        if ids:
            yield self._batch(*columns)

    def _batch(
        self,
        ids: Sequence[bytes],
        texts: Sequence[str],
        seconds: Sequence[str | None],
        labels: Sequence[str | None],
        own: Sequence[str],
        lines: Sequence[int],
    ) -> pa.RecordBatch:
        """The rows as columns; those of a source with own ids have them as well."""
        numbers = id_numbers(ids)
        columns = [pa.array(numbers), texts, seconds, labels]
        if self._source.id_column is None:
            return pa.record_batch(columns, schema=SCHEMA)
        if self._own is not None:
            self._own.add(own, numbers, lines)
        return pa.record_batch([*columns, own], schema=WITH_SOURCE_IDS)

    def _read(self, line: int, row: dict[str, str]) -> tuple[bytes, str, str | None, str | None]:
        """Id, text, second text and label of a row."""
        source = self._source
        label = self._label(row[source.label_column], line) if source.label_column else None
        text = row[source.text_column]
        second = row[source.second_text_column] if source.second_text_column else None
        try:
            return id_bytes(source.name, text, second=second), text, second, label
        except UnicodeEncodeError:
            encodable(text, self._place(line))
            encodable(second or "", self._place(line))
            raise

    def _own_id(self, cell: str, line: int) -> str:
        """The row's own id, as it is written."""
        if not cell.strip():
            raise DataError(
                f"{self._place(line)}: the column {self._source.id_column!r} is empty",
                expected="the row's own id, for the source has an `id_column`",
                next_step="write an id into the row, or take `id_column` out of the product file",
            )
        return encodable(cell, self._place(line))

    def _label(self, cell: str, line: int) -> str | None:
        """The label that a cell stands for; None where the row has no label yet."""
        if cell in self._known:
            return self._known[cell]
        label = None
        if not self._is_unlabelled(cell):
            with refusals_are_data_errors():
                label = self._problem.read_label(cell, self._labelling, where=self._place(line))
        if len(self._known) < _KNOWN_CELLS:
            self._known[cell] = label
        return label

    def _is_unlabelled(self, cell: str) -> bool:
        """Whether a row of the product has no label yet. Where a text may have several, an empty cell
        means that it has none of them; and a value of the file may be empty and stand for a label.
        """
        source = self._source
        spoken = (*source.label_values, *self._labels)
        means_something = source.label_separator is not None or cell in spoken
        pairs = source.second_text_column is not None  # a pair without a label teaches nothing yet
        return (
            source.role == "labelled" and says_nothing(cell) and not means_something and not pairs
        )

    def _place(self, line: int) -> str:
        return f"source {self._source.name}, {self._file}, line {line}"
