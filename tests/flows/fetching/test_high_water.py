"""A mark is noted in the file of the rows, and read back as the value that it was."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.fetching.high_water import KEY, Greatest, Mark, mark_in
from pipeline.core.errors import DataError

VALUES = {
    "whole number": 9_007_199_254_740_993,
    "fraction": 0.1,
    "decimal": Decimal("10.500"),
    "text": "2026-12-01 é \"'",
    "date": date(2026, 12, 1),
    "time": datetime(2026, 12, 1, 9, 0, 0, 123456),
    "time of a zone": datetime(2026, 12, 1, 9, tzinfo=timezone(timedelta(hours=9))),
}


def noted(file: Path, note: bytes) -> Path:
    schema = pa.schema([("at", pa.string())], metadata={KEY: note})
    pq.write_table(pa.table({"at": ["x"]}, schema=schema), file)
    return file


@pytest.mark.parametrize("kind", VALUES)
def test_a_mark_comes_back_as_it_was(tmp_path: Path, kind: str) -> None:
    mark = Mark(column="at", value=VALUES[kind])
    found = mark_in(noted(tmp_path / "rows.parquet", mark.as_note()), "at")
    assert found == mark
    assert found is not None
    assert type(found.value) is type(mark.value)
    assert mark_in(tmp_path / "rows.parquet", "other") is None


@pytest.mark.parametrize(
    "note",
    [b"", b"[]", b"\xff", b'{"column": "at"}', b'{"column": "at", "kind": "date", "value": "x"}'],
    ids=["empty", "a list", "no UTF-8", "no value", "no date"],
)
def test_a_note_that_is_none_of_ours_is_no_mark(tmp_path: Path, note: bytes) -> None:
    assert mark_in(noted(tmp_path / "rows.parquet", note), "at") is None


def test_a_file_that_is_not_there_or_no_parquet_has_no_mark(tmp_path: Path) -> None:
    assert mark_in(tmp_path / "rows.parquet", "at") is None
    (tmp_path / "rows.parquet").write_text("at\nx\n")
    assert mark_in(tmp_path / "rows.parquet", "at") is None


def test_the_greatest_of_several_batches_counts_and_null_is_no_value() -> None:
    greatest = Greatest("at", of="source crm")
    for batch in ([3, None], [None], [], [10, 9]):
        greatest.see(batch)
    assert greatest.mark() == Mark(column="at", value=10)


@pytest.mark.parametrize(
    "values",
    [[True], [b"x"], [1, "x"], [[1], ["x"]], [timedelta(1)], [None]],
    ids=["bool", "bytes", "two kinds", "lists", "a span", "null"],
)
def test_values_without_an_order_are_refused_with_the_way_out(values: list[Any]) -> None:
    greatest = Greatest("at", of="source crm")

    def mark() -> Mark:
        greatest.see(values)
        return greatest.mark()

    with pytest.raises(DataError, match="source crm: the column 'at'") as error:
        mark()
    assert "since_column" in error.value.next_step


def test_times_of_one_kind_are_compared_as_instants() -> None:
    greatest = Greatest("at", of="source crm")
    early = datetime(2026, 12, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    greatest.see([early, datetime(2026, 12, 1, 8, tzinfo=UTC)])
    assert greatest.mark().value == datetime(2026, 12, 1, 8, tzinfo=UTC)
