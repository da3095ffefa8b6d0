"""The tables that a build prints at its end."""

from pathlib import Path

import pytest

from flows.console.summary import baseline_note, stage_table, verdict_lines
from flows.execution.runner import StageResult
from pipeline.core.files import write_json
from tests.support.example_artifacts import check, verdict


def test_a_cached_stage_shows_no_seconds_and_the_total_counts_those_that_ran() -> None:
    text = stage_table(
        [
            StageResult(name="collect", state="cached", seconds=0.0, headline="10 rows"),
            StageResult(name="gate", state="ran", seconds=12.34, headline="ok"),
        ]
    )
    lines = [line.split() for line in text.splitlines()]
    assert ["collect", "cached", "-", "10", "rows"] in lines
    assert ["gate", "ran", "12.3", "ok"] in lines
    assert ["total", "1", "ran", "12.3", "1", "cached"] in lines


def test_a_missed_check_stands_out_with_value_and_limit() -> None:
    missed = check("size_mb", value=9.5, outcome="failed")
    text = verdict_lines(verdict(missed, passed=False))
    assert "NOT PASSED, student-int8" in text
    assert ["size_mb", "9.5", "8", "MB", "MISSED"] in [line.split() for line in text.splitlines()]


@pytest.mark.parametrize(("baseline", "said"), [(0.979, True), (0.937, True), (0.9, False)])
def test_a_baseline_that_does_as_well_as_the_released_model_is_told_in_a_sentence(
    tmp_path: Path, baseline: float, said: bool
) -> None:
    assert baseline_note(tmp_path, "pruned-int8") == ""
    quality = {"baseline-tfidf": 0.5, "baseline-nblr": baseline, "pruned-int8": 0.937}
    figures = {"validation": quality, "quality_metric": "macro_f1"}
    write_json(tmp_path / "artifacts" / "evaluate" / "metrics.json", figures)
    note = baseline_note(tmp_path, "pruned-int8")
    assert ("baseline-nblr" in note) is said
    assert (f"{baseline:.3f}" in note) is said
