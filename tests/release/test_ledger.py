"""The ledger: what was in production, when, and why."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import ReleaseError
from pipeline.release import ledger
from pipeline.release.ledger import Entry


def _entry(day: int, event: ledger.Event, bundle_hash: str | None) -> Entry:
    return Entry(
        time=f"2026-01-{day:02d}T00:00:00.000000+00:00",
        event=event,
        hash=bundle_hash,
        version="1",
        previous=None,
        why="why",
    )


def test_it_knows_what_was_in_production_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for entry in (
        _entry(2, "promoted", "a"),
        _entry(4, "refused", "b"),
        _entry(6, "promoted", "c"),
        _entry(8, "rolled_back", "a"),
    ):
        ledger.append(path, entry)

    def at(day: int) -> str | None:
        found = ledger.at(path, datetime(2026, 1, day, 12, tzinfo=UTC))
        return found.hash if found else None

    assert [at(day) for day in (1, 2, 5, 6, 9)] == [None, "a", "a", "c", "a"]


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        ledger.at(tmp_path / "ledger.jsonl", datetime(2026, 1, 1))


def test_half_a_line_left_by_a_kill_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, _entry(2, "promoted", "a"))
    with path.open("a") as stream:
        stream.write('{"event": "promo')
    assert [entry.hash for entry in ledger.read(path)] == ["a"]
    ledger.append(path, replace(_entry(3, "promoted", "b")))
    assert [entry.hash for entry in ledger.read(path)] == ["a", "b"]


def test_a_line_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "promoted", "by": "hand"}\n')
    with pytest.raises(ReleaseError, match="line 1"):
        ledger.read(path)
