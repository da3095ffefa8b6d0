"""Reads and writes the Parquet tables between stages, as columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path

Columns = dict[str, list[Any]]


def write_table(path: Path, columns: Mapping[str, Sequence[Any]], *, schema: pa.Schema) -> None:
    """Write columns as Parquet, the whole file or nothing; equal values give equal bytes."""
    table = pa.Table.from_pydict({name: columns[name] for name in schema.names}, schema=schema)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_table(path: Path) -> Columns:
    """All columns of a Parquet file; `ArtifactError` where it is not Parquet."""
    try:
        columns: Columns = pq.read_table(path).to_pydict()
    except (OSError, pa.ArrowInvalid) as error:
        raise ArtifactError(
            f"{path.name} could not be read: {error}",
            expected="a Parquet table that an earlier stage wrote",
            next_step="run `make pipeline` to build it again",
        ) from error
    return columns


def last_sentences(path: Path, count: int) -> list[str]:
    """The last `count` of prepare's sentences in hash order, or all where there are fewer.

    For checks that need many texts and no labels. Some may be in the transfer set. That does no
    harm where answers are only compared with each other.
    """
    table = pq.read_table(path, columns=["text"])
    texts: list[str] = table["text"].slice(max(len(table) - count, 0)).to_pylist()
    return texts
