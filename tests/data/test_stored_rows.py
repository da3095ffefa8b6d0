"""Rows in a file without a name are found by their numbers, in any order."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.data.stored_rows import StoredRows, parts_of

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


def batches(*sizes: int) -> list[pa.RecordBatch]:
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return [
        pa.record_batch(
            [list(range(at, at + n)), [f"row {at + k}" for k in range(n)]], schema=SCHEMA
        )
        for at, n in zip(starts, sizes, strict=True)
    ]


def test_rows_come_in_the_order_in_which_they_are_asked_for(tmp_path: Path) -> None:
    rows = StoredRows(batches(3, 0, 4, 1), SCHEMA, folder=tmp_path)
    assert len(rows) == 8
    for wanted in ([0, 1, 2], [7, 0, 4, 4, 2], [5], []):
        found = rows.take(np.array(wanted, dtype=np.int64))
        assert found["text"].to_pylist() == [f"row {number}" for number in wanted]
    assert rows.take(np.arange(2), ["id"]).column_names == ["id"]


def test_nothing_is_left_in_the_folder_while_the_rows_are_there_and_after(tmp_path: Path) -> None:
    rows = StoredRows(batches(2), SCHEMA, folder=tmp_path)
    assert len(rows) == 2
    assert [*tmp_path.iterdir()] == []


def test_no_rows_are_a_table_without_rows() -> None:
    assert StoredRows([], SCHEMA).take(np.zeros(0, dtype=np.int64)).schema == SCHEMA


def test_parts_are_as_large_as_they_may_be_and_have_one_row_at_least() -> None:
    parts = parts_of(np.array([4, 4, 4, 99, 1, 1], dtype=np.uint32), 8)
    assert [(part.start, part.stop) for part in parts] == [(0, 2), (2, 3), (3, 4), (4, 6)]
