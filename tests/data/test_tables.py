"""Sentences without labels are read from the end of their table, in hash order."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.tables import last_sentences


@pytest.mark.parametrize(
    ("texts", "count", "expected"),
    [("abcd", 2, ["c", "d"]), ("abcd", 9, ["a", "b", "c", "d"]), ("", 5, [])],
)
def test_the_last_are_read_or_all(
    tmp_path: Path, texts: str, count: int, expected: list[str]
) -> None:
    table = pa.table({"text": pa.array(list(texts), pa.string())})
    pq.write_table(table, tmp_path / "sentences.parquet")
    assert last_sentences(tmp_path / "sentences.parquet", count) == expected
