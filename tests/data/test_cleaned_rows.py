"""Of a cleaned row, some bytes stay in memory, whatever its text is."""

import gc
import tracemalloc
from collections.abc import Iterator

import pyarrow as pa

from benchmarks.support.no_limits import NO_LIMITS
from pipeline.data.cleaned_rows import FACTS, CleanedRows, cleaned_rows
from pipeline.data.copied_rows import find_copies
from pipeline.data.records import record_id
from pipeline.data.row_batches import SCHEMA, RowBatches

TEXT = "A text of some sixty characters, which is no copy of another: "


def batches(count: int) -> Iterator[pa.RecordBatch]:
    """Rows in small batches, as Parquet has larger ones."""
    for start in range(0, count, 100):
        texts = [f"{TEXT}{number}" for number in range(start, start + 100)]
        columns = [[record_id("own", text) for text in texts], ["own"] * 100, texts]
        arrays = [pa.array(column, pa.string()) for column in (*columns, [None] * 100, ["a"] * 100)]
        yield pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def cleaned(count: int) -> CleanedRows:
    return cleaned_rows(RowBatches(count=count, batches=batches(count)), NO_LIMITS)


def bytes_held(count: int) -> tuple[int, int]:
    """Bytes that so many cleaned rows hold, and the most while copies among them are found."""
    gc.collect()
    tracemalloc.start()
    try:
        rows = cleaned(count)
        held = tracemalloc.get_traced_memory()[0]
        copies = find_copies(rows)
        assert len(copies.kept) == count
        return held, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_row_more_holds_some_bytes_and_no_object() -> None:
    find_copies(cleaned(100))  # makes what is made once, such as compiled patterns
    few, many = bytes_held(500), bytes_held(3_500)
    held, most = ((after - before) / 3_000 for before, after in zip(few, many, strict=True))
    assert FACTS.itemsize <= held < FACTS.itemsize + 10
    assert most < 200


def test_each_text_of_the_file_is_one_that_was_given() -> None:
    rows = cleaned(300)
    found = rows.stored.take(rows.in_order(), ["id", "text", "words"])
    assert found["id"].to_pylist() == sorted(record_id("own", f"{TEXT}{n}") for n in range(300))
    assert {*found["text"].to_pylist()} == {f"{TEXT}{number}" for number in range(300)}
