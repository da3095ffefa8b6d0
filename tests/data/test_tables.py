"""Tables are written and read part by part; sentences are read from the end of theirs, in hash order."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.data.tables import (
    GROUP_BYTES,
    GROUP_ROWS,
    last_sentences,
    read_batches,
    table_rows,
    table_writer,
)


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


TEXTS = pa.schema([("id", pa.string()), ("text", pa.string())])


def drawn_table(rows: int, *, longest: int) -> pa.Table:
    chance = random.Random(rows)  # noqa: S311 - test data, not a secret
    texts = [
        "é" * chance.randrange(longest) if chance.random() < 0.9 else None for _ in range(rows)
    ]
    return pa.table({"id": [f"{n:016x}" for n in range(rows)], "text": texts}, schema=TEXTS)


@pytest.mark.parametrize(("rows", "longest"), [(0, 5), (1, 5), (70_000, 5), (150, 200_000)])
def test_a_table_written_in_parts_is_one_file_whatever_the_parts(
    tmp_path: Path, rows: int, longest: int
) -> None:
    table = drawn_table(rows, longest=longest)
    files = []
    for size in (max(rows // 7, 1), max(rows, 1)):
        with table_writer(tmp_path / f"{size}.parquet", TEXTS) as writer:
            for start in range(0, rows, size):
                writer.add(table.slice(start, size))
        files.append((tmp_path / f"{size}.parquet").read_bytes())
        assert pq.read_table(tmp_path / f"{size}.parquet").equals(table)
    assert files[0] == files[1]
    groups = pq.ParquetFile(tmp_path / f"{max(rows, 1)}.parquet").metadata
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert max(sizes, default=0) <= GROUP_ROWS
    assert len(sizes) > 1 or rows * longest < GROUP_BYTES


SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


def rows(start: int, count: int, size: int = 10) -> pa.Table:
    """Rows with more columns than the table that is written, in another order."""
    numbers = list(range(start, start + count))
    return pa.table({"text": ["x" * size] * count, "more": numbers, "id": numbers})


def test_a_table_written_in_parts_is_read_in_batches_in_the_same_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    with table_writer(file, SCHEMA) as writer:
        for start, count in ((0, 3), (3, 0), (3, 20_000)):
            writer.add(rows(start, count))
        assert not file.exists()
    assert table_rows(file) == 20_003
    batches = [*read_batches(file)]
    assert [number for batch in batches for number in batch["id"].to_pylist()] == [*range(20_003)]
    assert max(map(len, batches)) < 10_000
    assert {name for batch in read_batches(file, ["id"]) for name in batch.schema.names} == {"id"}


def test_long_texts_come_few_at_a_time(tmp_path: Path) -> None:
    """A million characters a row: 8,192 rows of them would be gigabytes."""
    chance = random.Random(1)  # noqa: S311 - test data, not a secret
    with table_writer(tmp_path / "rows.parquet", SCHEMA) as writer:
        for number in range(40):
            text = chance.randbytes(500_000).hex()
            writer.add(pa.table({"id": [number], "text": [text]}))
    assert max(len(batch) for batch in read_batches(tmp_path / "rows.parquet")) <= 16
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups > 1


def write_in_parts(file: Path, parts: list[pa.Table]) -> None:
    with table_writer(file, SCHEMA) as writer:
        for part in parts:
            writer.add(part)


def test_an_error_leaves_the_former_table(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    write_in_parts(file, [rows(0, 5)])
    with pytest.raises(pa.ArrowInvalid, match="cannot be a number"):
        write_in_parts(file, [rows(0, 9), pa.table({"id": ["cannot be a number"], "text": ["x"]})])
    assert table_rows(file) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_text("no Parquet")
    for read in (table_rows, lambda path: [*read_batches(path)]):
        with pytest.raises(ArtifactError, match=r"rows\.parquet could not be read"):
            read(tmp_path / "rows.parquet")
