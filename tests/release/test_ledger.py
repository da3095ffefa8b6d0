"""The ledger: what answered, when, and why; lines of older versions and of kills are read too."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import ReleaseError
from pipeline.release import ledger
from pipeline.release.chain import faults
from pipeline.release.ledger import Entry
from pipeline.release.state import ReleaseState


@pytest.fixture(name="state")
def make_state(tmp_path: Path) -> ReleaseState:
    return ReleaseState(tmp_path, "tiny")


def _time(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00.000000+00:00"


def _entry(minute: int, event: ledger.Event, bundle_hash: str | None, **more: str) -> Entry:
    time = _time(minute)
    return Entry(time=time, event=event, hash=bundle_hash, previous=None, why="why", **more)


def _answered(state: ReleaseState, minute: int) -> str | None:
    moment = datetime(2026, 1, 1, 0, minute, 30, tzinfo=UTC)
    found = ledger.answered_at(state.ledger, moment)
    return found.hash if found else None


def _write_older(state: ReleaseState, *entries: Entry) -> None:
    """Writes lines as the versions before the chain did."""
    state.folder.mkdir(parents=True, exist_ok=True)
    keys = ("time", "event", "hash", "version", "previous", "why", "verdict")
    lines = [json.dumps({key: vars(entry)[key] for key in keys}) for entry in entries]
    with state.ledger.open("a") as stream:
        stream.write("".join(f"{line}\n" for line in lines))


def test_it_knows_what_answered_at_a_time(state: ReleaseState) -> None:
    for entry in (
        _entry(2, "promoting", "a", promotion="1"),
        _entry(4, "promoted", "a", promotion="1", since=_time(3)),
        _entry(6, "refused", "b"),
        _entry(8, "stopped", None, since=_time(7)),
        _entry(10, "started", "a"),
        _entry(12, "promoting", "b", promotion="2"),
    ):
        ledger.append(state, entry)
    assert [_answered(state, minute) for minute in (1, 2, 3, 6, 7, 9, 10, 11)] == [
        None, None, "a", "a", None, None, "a", "a",
    ]  # fmt: skip
    # Nobody has said yet since when: it counts from the move of the pointer.
    assert _answered(state, 12) == "b"


def test_a_promotion_that_failed_answered_from_its_first_answer_to_its_end(
    state: ReleaseState,
) -> None:
    ledger.append(state, _entry(1, "promoted", "a", promotion="0"))
    ledger.append(state, _entry(4, "promoting", "b", promotion="1"))
    undone = _entry(9, "rolled_back", "a", promotion="1", since=_time(8), previous_since=_time(5))
    ledger.append(state, replace(undone, previous="b"))
    assert [_answered(state, minute) for minute in (3, 4, 5, 7, 8, 20)] == [*"aabbaa"]
    ledger.append(state, _entry(30, "promoting", "c", promotion="2"))
    never = _entry(33, "rolled_back", "a", promotion="2")
    ledger.append(state, replace(never, previous="c"))
    assert [_answered(state, minute) for minute in (29, 30, 31, 34)] == [*"aaaa"]


def test_a_promotion_is_found_unfinished_whatever_was_written_since(state: ReleaseState) -> None:
    assert ledger.unfinished(state.ledger) is None
    ledger.append(state, _entry(1, "promoting", "a", promotion="1"))
    ledger.append(state, _entry(2, "kept", "a"))
    ledger.append(state, _entry(3, "refused", "b"))
    found = ledger.unfinished(state.ledger)
    assert found is not None
    assert found.promotion == "1"
    ledger.append(state, _entry(4, "promoted", "a", promotion="1"))
    ledger.append(state, _entry(5, "kept", "a"))
    assert ledger.unfinished(state.ledger) is None


def test_lines_of_older_versions_are_kept_and_told(state: ReleaseState) -> None:
    _write_older(state, _entry(2, "promoted", "a"), _entry(4, "refused", "b"))
    _write_older(state, _entry(6, "promoted", "c"), _entry(8, "rolled_back", "a"))
    older = state.ledger.read_bytes()
    assert [_answered(state, minute) for minute in (1, 2, 5, 6, 9)] == [None, "a", "a", "c", "a"]
    ledger.append(state, _entry(10, "promoted", "d", promotion="1"))
    assert state.ledger.read_bytes().startswith(older)
    assert [_answered(state, minute) for minute in (5, 6, 9, 10)] == ["a", "c", "a", "d"]
    assert faults(state) == []
    state.ledger.write_bytes(state.ledger.read_bytes().replace(b'"c"', b'"x"'))
    assert "before line 5" in faults(state)[0]


def test_a_time_without_a_zone_is_refused(state: ReleaseState) -> None:
    with pytest.raises(ValueError, match="time zone"):
        ledger.answered_at(state.ledger, datetime(2026, 1, 1))


def test_half_a_line_left_by_an_older_version_hides_nothing(state: ReleaseState) -> None:
    _write_older(state, _entry(2, "promoted", "a"))
    with state.ledger.open("a") as stream:
        stream.write('{"event": "promo')
    assert [entry.hash for entry in ledger.read(state.ledger)] == ["a"]
    ledger.append(state, _entry(3, "promoted", "b"))
    assert [entry.hash for entry in ledger.read(state.ledger)] == ["a", "b"]


def test_a_line_that_was_edited_is_refused_but_stops_no_repair(state: ReleaseState) -> None:
    ledger.append(state, _entry(1, "promoted", "a"))
    with state.ledger.open("a") as stream:
        stream.write('{"event": "promoted", "by": "hand"}\n')
    with pytest.raises(ReleaseError, match="line 2"):
        ledger.read(state.ledger)
    assert [entry.hash for entry in ledger.latest(state.ledger)] == ["a"]
