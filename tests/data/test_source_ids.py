"""An own id of two different texts is found wherever its rows are; one of two copies is none's harm."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.data.source_ids import SourceIds


def ids(
    tmp_path: Path, rows: list[tuple[str, int]], *, size: int = 3, held: int = 200
) -> SourceIds:
    """Ids of rows, each with the number that stands for its texts, in small batches."""
    found = SourceIds(tmp_path / "own", held=held)
    for start in range(0, len(rows), size):
        names, texts = zip(*rows[start : start + size], strict=True)
        lines = range(start + 2, start + 2 + len(names))
        found.add(names, np.array(texts, np.uint64), [*lines])
    return found


@pytest.mark.parametrize("distance", [1, 50, 900])
@pytest.mark.parametrize("held", [200, 1 << 24], ids=["little is held", "all is held"])
def test_an_id_of_two_texts_is_refused_with_both_lines(
    tmp_path: Path, distance: int, held: int
) -> None:
    rows = [(f"T-{number}", number) for number in range(1000)]
    rows[distance] = ("T-0", 77)
    with pytest.raises(DataError) as error:
        ids(tmp_path, rows, held=held).refuse_shared("source crm, a.csv")
    assert error.value.got.startswith(
        f"source crm, a.csv: lines 2 and {distance + 2} have the id 'T-0'"
    )


def test_rows_with_the_same_texts_may_share_an_id(tmp_path: Path) -> None:
    rows = [(f"T-{number % 5}", number % 5) for number in range(100)]
    ids(tmp_path, rows).refuse_shared("a.csv")  # raises where one is refused


def test_ids_that_differ_in_any_sign_are_different(tmp_path: Path) -> None:
    names = ["7", "07", "7 ", "7.0", "é", "e\u0301", "A", "a"]
    ids(tmp_path, [(name, number) for number, name in enumerate(names)]).refuse_shared("a.csv")
