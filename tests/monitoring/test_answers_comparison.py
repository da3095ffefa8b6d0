"""Two builds' models are compared on the rows that both answered, by the labels of today."""

from pathlib import Path

import pytest

from pipeline.core.params import Params, override, parse_params
from pipeline.monitoring.answers_comparison import compare_answers
from tests.support.answered_rows import AnsweredRow, write_answers
from tests.support.repository import parameter_values

GOOD, BAD = "positive", "negative"


@pytest.fixture
def params() -> Params:
    return parse_params(override(parameter_values(), ["evaluate.resamples=200"]))


def rows(right: int, wrong: int, *, start: int = 0, split: str = "validation") -> list[AnsweredRow]:
    """Rows of which the first are answered right."""
    return [
        AnsweredRow(
            number=start + number, label=GOOD, answer=GOOD if number < right else BAD, split=split
        )
        for number in range(right + wrong)
    ]


def test_a_model_that_answers_more_rows_right_is_shown_to_be_better(
    tmp_path: Path, params: Params
) -> None:
    write_answers(tmp_path / "before.parquet", rows(40, 60))
    write_answers(tmp_path / "after.parquet", rows(70, 30))
    [found] = compare_answers(tmp_path / "before.parquet", tmp_path / "after.parquet", params)
    assert (found.split, found.metric, found.rows) == ("validation", "accuracy", 100)
    assert (found.before, found.after) == (0.4, 0.7)
    assert found.difference == pytest.approx(0.3)
    assert 0.1 < found.low < 0.3 < found.high < 0.5


def test_only_rows_that_both_answered_count_each_split_by_itself(
    tmp_path: Path, params: Params
) -> None:
    write_answers(tmp_path / "before.parquet", rows(10, 0) + rows(5, 0, start=100, split="test"))
    new = rows(0, 20, start=5) + rows(5, 5, start=100, split="test")
    write_answers(tmp_path / "after.parquet", new)
    validation, test = compare_answers(
        tmp_path / "before.parquet", tmp_path / "after.parquet", params
    )
    assert (validation.rows, validation.before, validation.after) == (5, 1.0, 0.0)
    assert (test.rows, test.before, test.after) == (5, 1.0, 1.0)


def test_a_label_that_changed_since_judges_both_models(tmp_path: Path, params: Params) -> None:
    write_answers(tmp_path / "before.parquet", rows(10, 0))
    relabelled = [AnsweredRow(number=number, label=BAD, answer=BAD) for number in range(10)]
    write_answers(tmp_path / "after.parquet", relabelled)
    [found] = compare_answers(tmp_path / "before.parquet", tmp_path / "after.parquet", params)
    assert (found.before, found.after) == (0.0, 1.0)


def test_without_a_common_row_there_is_no_comparison(tmp_path: Path, params: Params) -> None:
    write_answers(tmp_path / "before.parquet", rows(3, 0))
    write_answers(tmp_path / "after.parquet", rows(3, 0, start=50))
    assert compare_answers(tmp_path / "before.parquet", tmp_path / "after.parquet", params) == []
