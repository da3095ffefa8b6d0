"""Reads prepare's corpus sentences, for checks that need many texts and no labels."""

from pathlib import Path

import pyarrow.parquet as pq


def read_last(sentences: Path, count: int) -> list[str]:
    """The last `count` sentences in hash order, or all where there are fewer.

    Some may be in the transfer set. That does no harm where answers are only compared with each
    other.
    """
    table = pq.read_table(sentences, columns=["text"])
    texts: list[str] = table["text"].slice(max(len(table) - count, 0)).to_pylist()
    return texts
