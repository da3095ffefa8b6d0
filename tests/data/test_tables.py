"""Tables are written whole or not at all, also in parts; sentences without labels are read from the end."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.tables import GROUP_BYTES, GROUP_ROWS, last_sentences, table_writer


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


SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])


def drawn_table(rows: int, *, longest: int) -> pa.Table:
    chance = random.Random(rows)
    texts = [
        "é" * chance.randrange(longest) if chance.random() < 0.9 else None for _ in range(rows)
    ]
    return pa.table({"id": [f"{n:016x}" for n in range(rows)], "text": texts}, schema=SCHEMA)


@pytest.mark.parametrize(("rows", "longest"), [(0, 5), (1, 5), (70_000, 5), (300, 400_000)])
def test_a_table_written_in_parts_is_one_file_whatever_the_parts(
    tmp_path: Path, rows: int, longest: int
) -> None:
    table = drawn_table(rows, longest=longest)
    files = []
    for size in (max(rows // 7, 1), max(rows, 1)):
        with table_writer(tmp_path / f"{size}.parquet", SCHEMA) as writer:
            for start in range(0, rows, size):
                writer.add(table.slice(start, size))
        files.append((tmp_path / f"{size}.parquet").read_bytes())
        assert pq.read_table(tmp_path / f"{size}.parquet").equals(table)
    assert files[0] == files[1]
    groups = pq.ParquetFile(tmp_path / f"{max(rows, 1)}.parquet").metadata
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert max(sizes, default=0) <= GROUP_ROWS
    assert len(sizes) > 1 or rows * longest < GROUP_BYTES


def test_a_table_whose_writing_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with table_writer(path, SCHEMA) as writer:
        writer.add(drawn_table(3, longest=5))
    before = path.read_bytes()
    with pytest.raises(KeyError), table_writer(path, SCHEMA) as writer:
        writer.add(drawn_table(9, longest=5))
        raise KeyError
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.parquet"]
