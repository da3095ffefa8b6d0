"""Ids as numbers come back as they were, in the same order, and others are refused."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.core.errors import DataError
from pipeline.data.row_ids import KnownIds, ids_of, numbers_of, read_ids
from pipeline.data.tables import write_table

IDS = ["00000000000000ff", "0123456789abcdef", "8000000000000000", "ffffffffffffffff"]


def test_ids_come_back_and_are_ordered_as_their_numbers_are() -> None:
    numbers = numbers_of(IDS)
    assert ids_of(numbers).to_pylist() == IDS
    assert numbers.tolist() == sorted(numbers.tolist())
    assert ids_of(numbers_of([])).to_pylist() == []


@pytest.mark.parametrize(
    "wrong", ["ff", "ABCDEF0123456789", "0123456789abcdeg", "0123456 89abcdef"]
)
def test_an_id_that_collect_does_not_write_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(DataError, match=wrong):
        numbers_of([IDS[0], wrong, IDS[1]])


def test_a_text_is_known_only_where_it_is_an_id_among_them(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    write_table(file, {"id": IDS}, schema=pa.schema([("id", pa.string())]))
    known = KnownIds(read_ids(file)[::-1])
    assert all(name in known for name in IDS)
    assert not [
        name for name in (IDS[0][1:], "nowhere", "5.2E+19", "f" * 15 + "e") if name in known
    ]
    assert IDS[0] not in KnownIds(numbers_of([]))
