"""Rows of a source in the order of their ids: the same as a plain loop finds, however little is held."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.records import id_bytes, record_id
from pipeline.data.row_buckets import BUCKETS, SCHEMA, RowBuckets
from pipeline.data.row_ids import id_numbers, ids_of
from pipeline.data.rows_by_id import rows_by_id

Row = tuple[str, str | None, str | None]


def by_plain_loop(rows: Sequence[Row]) -> list[tuple[str, str, str | None, str | None]]:
    copies: Counter[tuple[str, str | None]] = Counter()
    found = []
    for text, second, label in rows:
        copy = copies[text, second]
        copies[text, second] += 1
        found.append((record_id("mine", text, second=second, copy=copy), text, second, label))
    return sorted(found, key=lambda row: row[0])


def batches_of(rows: Sequence[Row], size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), size):
        texts, seconds, labels = zip(*rows[start : start + size], strict=True)
        ids = [id_bytes("mine", text, second=second) for text, second, _ in rows[start:][:size]]
        yield pa.record_batch([pa.array(id_numbers(ids)), texts, seconds, labels], schema=SCHEMA)


def found_in(tables: Iterator[pa.Table]) -> list[tuple[str, str, str | None, str | None]]:
    found = []
    for table in tables:
        ids = ids_of(table["id"].to_numpy())
        columns = [ids.to_pylist(), *(table[name].to_pylist() for name in SCHEMA.names[1:])]
        found += [*zip(*columns, strict=True)]
    return found


def drawn(kind: str, chance: random.Random) -> list[Row]:
    texts = {"copies": [f"text {n}" for n in range(12)], "one": ["template"], "none": []}[kind]
    rows: list[Row] = []
    for number in range(chance.randrange(1, 200)):
        text = chance.choice(texts) if texts else f"text {number} é 배송"
        second = chance.choice([None, "", "a", "b"])
        rows.append((text, second, chance.choice([None, "good", "bad"])))
    return rows


@pytest.mark.parametrize("kind", ["copies", "one", "none"])
@pytest.mark.parametrize("held", [1, 3_000, 1 << 24])
def test_order_ids_and_copies_are_those_of_a_plain_loop(
    tmp_path: Path, kind: str, held: int
) -> None:
    for seed in range(3):
        chance = random.Random(f"{kind}{seed}")  # noqa: S311 - no secret
        rows = drawn(kind, chance)
        batches = batches_of(rows, chance.choice([1, 7, 1000]))
        folder = tmp_path / str(seed)
        assert found_in(rows_by_id(batches, folder, source="mine", held=held)) == by_plain_loop(
            rows
        )


def test_rows_of_a_template_are_spread_over_the_files(tmp_path: Path) -> None:
    rows: list[Row] = [("the same words", None, "good")] * 2_000
    sizes = [table.num_rows for table in rows_by_id(batches_of(rows, 100), tmp_path, source="mine")]
    assert sum(sizes) == 2_000
    assert max(sizes) < 40


def test_two_texts_of_one_id_are_both_first_rows_as_they_were_before(tmp_path: Path) -> None:
    rows: list[Row] = [("a\0second\0b", "c", None), ("a", "b\0second\0c", None)]
    found = found_in(rows_by_id(batches_of(rows, 10), tmp_path, source="mine"))
    assert sorted(found) == sorted(by_plain_loop(rows))
    assert len({identifier for identifier, *_ in found}) == 1


def test_an_id_is_written_as_16_hex_digits() -> None:
    ids = np.array([0, 1, 0x0123456789ABCDEF, 2**64 - 1], np.uint64)
    assert ids_of(ids).to_pylist() == [f"{number:016x}" for number in ids.tolist()]
    assert ids_of(ids[:0]).to_pylist() == []


def test_buckets_give_back_their_rows_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    buckets = RowBuckets(tmp_path / "rows", held=500)
    rows: list[Row] = [(f"text {number % 20}", None, str(number)) for number in range(400)]
    for batch in batches_of(rows, 30):
        buckets.add(batch)
    buckets.write()
    for bucket in range(BUCKETS):
        labels = [int(x) for part in buckets.parts(bucket) for x in part["label"].to_pylist()]
        assert labels == sorted(labels)


def test_ids_of_a_bucket_do_not_keep_its_texts_in_the_memory(tmp_path: Path) -> None:
    buckets = RowBuckets(tmp_path / "rows", held=1_000_000)
    rows: list[Row] = [("a text " * 100_000, None, None)] * 20
    for batch in batches_of(rows, 1):
        buckets.add(batch)
    buckets.write()
    [bucket] = [int(file.stem, 16) for file in (tmp_path / "rows").iterdir()]
    usual = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counted)
    try:
        assert sum(map(len, buckets.ids(bucket))) == 20
    finally:
        pa.set_memory_pool(usual)
    assert 1_000_000 < counted.max_memory() < 5_000_000
