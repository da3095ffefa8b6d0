"""Labels of very many rows are counted as those of a list are."""

import pyarrow as pa
import pytest

from pipeline.data.label_cells import label_cells, label_counts, rows_by_label
from pipeline.problem.problems import PROBLEMS


@pytest.mark.parametrize(
    ("problem", "parts", "counts"),
    [
        ("classification", [["a", "b"], ["b", "b"]], {"a": 1, "b": 3}),
        ("multi_label", [["a|b", ""], ["b"], []], {"a": 1, "b": 2}),
        ("classification", [], {"a": 0, "b": 0}),
    ],
)
def test_labels_in_parts_are_those_of_all_rows(
    problem: str, parts: list[list[str]], counts: dict[str, int]
) -> None:
    cells = label_cells(pa.chunked_array([part], pa.string()) for part in parts)
    assert [*cells] == [cell for part in parts for cell in part]
    assert label_counts(cells, PROBLEMS[problem], ["a", "b"]) == counts
    found = rows_by_label(cells, PROBLEMS[problem], ["a", "b"])
    assert {label: int(rows.sum()) for label, rows in found} == counts


def test_a_row_without_a_label_has_an_empty_one() -> None:
    assert [*label_cells([pa.chunked_array([["a", None]], pa.string())])] == ["a", ""]
