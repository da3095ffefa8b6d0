"""Newer rows stand behind older ones, each row once: as a plain loop over lists of rows says."""

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.newer_rows import Joined, join_newer

COLUMNS = ("id", "day", "text")
Row = tuple[str | None, ...]


def write(path: Path, rows: Sequence[Row]) -> Path:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist([named(row) for row in rows], schema), path)
    return path


def named(row: Row) -> dict[str, str | None]:
    return dict(zip(COLUMNS, row, strict=True))


def join(root: Path, old: Sequence[Row], new: Sequence[Row], key: str | None) -> Joined:
    first, second = write(root / "old.parquet", old), write(root / "new.parquet", new)
    (root / "out.parquet").unlink(missing_ok=True)
    note = {b"note": b"kept"}
    return join_newer(first, second, root / "out.parquet", since="day", key=key, note=note)


def written(root: Path) -> list[Row]:
    rows = pq.read_table(root / "out.parquet").to_pylist()
    return [tuple(row[name] for name in COLUMNS) for row in rows]


def by_plain_loop(old: Sequence[Row], new: Sequence[Row], key: bool) -> list[Row]:
    fresh = [row for row in new if row not in old]
    keys = {row[0] for row in fresh} if key else set()
    return [row for row in old if row[0] not in keys or row[0] is None] + fresh


OLD: list[Row] = [("1", "mon", "a"), ("2", "tue", "b"), ("3", "tue", None), (None, None, "d")]


def test_a_row_that_is_there_stays_and_a_changed_one_takes_the_place_of_the_old(
    tmp_path: Path,
) -> None:
    new: list[Row] = [("2", "tue", "b"), ("1", "wed", "a, mended"), ("4", "wed", "e")]
    assert join(tmp_path, OLD, new, "id") == Joined(rows=5, new=2, replaced=1)
    assert written(tmp_path) == [*OLD[1:], *new[1:]]
    assert join(tmp_path, OLD, new, None) == Joined(rows=6, new=2, replaced=0)
    assert written(tmp_path) == [*OLD, *new[1:]]
    assert pq.read_schema(tmp_path / "out.parquet").metadata[b"note"] == b"kept"


@pytest.mark.parametrize(
    "new", [[], OLD[1:3], OLD[:3]], ids=["no row", "the last rows", "all rows"]
)
def test_nothing_is_written_where_nothing_is_new(tmp_path: Path, new: list[Row]) -> None:
    assert join(tmp_path, OLD, new, "id") == Joined()
    assert not (tmp_path / "out.parquet").exists()


def test_null_is_another_value_than_an_empty_text(tmp_path: Path) -> None:
    assert join(tmp_path, OLD, [("3", "tue", "")], None).new == 1


@pytest.mark.parametrize("key", ["id", None])
def test_it_is_what_a_plain_loop_finds(tmp_path: Path, key: str | None) -> None:
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    for _ in range(20):
        old, new = (
            list(
                dict.fromkeys(
                    (
                        chance.choice([None, *"1234567"]),
                        str(chance.randrange(3)),
                        chance.choice("ab"),
                    )
                    for _ in range(chance.randrange(1, 12))
                )
            )
            for _ in range(2)
        )
        expected = by_plain_loop(old, new, key is not None)
        if join(tmp_path, old, new, key).new:
            assert written(tmp_path) == expected
        else:
            assert expected == old
