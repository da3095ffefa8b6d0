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


def test_rows_of_a_template_are_as_few_at_once_as_others(tmp_path: Path) -> None:
    rows: list[Row] = [("the same words", None, "good")] * 2_000
    tables = rows_by_id(batches_of(rows, 100), tmp_path / "rows", source="mine", held=1_000)
    sizes = [table.num_rows for table in tables]
    assert sum(sizes) == 2_000
    assert max(sizes) < 40


def test_a_small_source_comes_in_one_table(tmp_path: Path) -> None:
    rows: list[Row] = [(f"text {number % 600}", None, "good") for number in range(1_000)]
    [table] = rows_by_id(batches_of(rows, 100), tmp_path / "rows", source="mine")
    assert table.num_rows == 1_000


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
    buckets = RowBuckets(tmp_path / "rows.arrow", held=500)
    rows: list[Row] = [(f"text {number % 20}", None, str(number)) for number in range(400)]
    for batch in batches_of(rows, 30):
        buckets.add(batch)
    buckets.finish()
    found = 0
    for bucket in range(BUCKETS):
        tables = [*buckets.parts(slice(bucket, bucket + 1))]
        labels = [int(label) for table in tables for label in table["label"].to_pylist()]
        assert labels == sorted(labels)
        assert buckets.sizes[bucket] >= sum(table.nbytes for table in tables)
        found += len(labels)
    assert found == 400


def test_ids_do_not_keep_the_texts_of_their_rows_in_the_memory(tmp_path: Path) -> None:
    buckets = RowBuckets(tmp_path / "rows.arrow", held=1_000_000)
    rows: list[Row] = [("a text " * 100_000, None, None)] * 20
    for batch in batches_of(rows, 1):
        buckets.add(batch)
    buckets.finish()
    before = pa.total_allocated_bytes()
    found = 0
    for ids in buckets.ids(slice(BUCKETS)):
        assert pa.total_allocated_bytes() - before < 3_000_000
        found += len(ids)
    assert found == 20
