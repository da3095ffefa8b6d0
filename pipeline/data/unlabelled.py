"""Prepare's unlabelled sentences, for what needs many texts and no labels."""

from pathlib import Path

import pyarrow.parquet as pq


def read_last(sentences: Path, count: int) -> list[str]:
    """The last `count` of them by hash, or all; some may have taught the student, whose answers alone count."""
    table = pq.read_table(sentences, columns=["text"])
    texts: list[str] = table["text"].slice(max(len(table) - count, 0)).to_pylist()
    return texts
