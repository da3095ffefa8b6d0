"""Ids that several sources share are counted, in ranges that are small in memory."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.data.repeated_ids import refuse_repeated_ids


def run_of(folder: Path, name: str, ids: list[int]) -> Path:
    path = folder / name
    np.array(sorted(ids), np.uint64).tofile(path)
    return path


@pytest.mark.parametrize("held", [1, 10, 1_000_000])
def test_ids_that_differ_are_accepted(tmp_path: Path, held: int) -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    ids = [*{chance.randrange(2**64) for _ in range(500)}]
    runs = [run_of(tmp_path, "a", ids[:200]), run_of(tmp_path, "b", ids[200:])]
    refuse_repeated_ids(runs, held=held)


@pytest.mark.parametrize("held", [1, 10, 1_000_000])
def test_the_id_that_occurs_most_is_named_with_its_count(tmp_path: Path, held: int) -> None:
    chance = random.Random(2)  # noqa: S311 - no secret
    for _ in range(5):
        ids = [chance.randrange(2**64) for _ in range(100)]
        parts = [ids, ids[:50], ids[49:52], [2**64 - 1, 0]]
        runs = [run_of(tmp_path, str(number), part) for number, part in enumerate(parts)]
        [(most, count)] = Counter(n for part in parts for n in part).most_common(1)
        with pytest.raises(DataError, match=f"the id {most:016x} occurs {count} times"):
            refuse_repeated_ids(runs, held=held)


def test_an_id_that_one_source_has_twice_is_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="occurs 2 times"):
        refuse_repeated_ids([run_of(tmp_path, "a", [5, 7, 7])])
