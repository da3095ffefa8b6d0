"""The tables that a build prints at its end."""

from flows.console.summary import stage_table, verdict_lines
from flows.execution.runner import StageResult
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
