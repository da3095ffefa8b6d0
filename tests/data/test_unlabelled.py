"""Unlabelled sentences are read from the end of the table, in hash order."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.unlabelled import read_last


@pytest.mark.parametrize(("count", "expected"), [(2, ["c", "d"]), (9, ["a", "b", "c", "d"])])
def test_the_last_are_read_or_all(tmp_path: Path, count: int, expected: list[str]) -> None:
    pq.write_table(pa.table({"text": list("abcd")}), tmp_path / "sentences.parquet")
    assert read_last(tmp_path / "sentences.parquet", count) == expected


def test_a_corpus_without_sentences_gives_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "none.parquet")
    assert read_last(tmp_path / "none.parquet", 5) == []
