"""The verbs that only look: what was released, what answered when, and whether anybody altered it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli import main
from flows.releases import answered, as_table, releases_of, verify_releases
from pipeline.core.errors import ReleaseError
from pipeline.core.files import write_json
from pipeline.release import ledger
from pipeline.release.ledger import Entry
from pipeline.release.state import ReleaseState

PRODUCT = "tiny-sentiment"


@pytest.fixture(name="state")
def make_state(tmp_path: Path) -> ReleaseState:
    """A ledger of two promotions, of which MLflow has heard the first alone."""
    state = ReleaseState(tmp_path, PRODUCT)
    for minute, (bundle_hash, previous) in enumerate((("a" * 64, None), ("b" * 64, "a" * 64))):
        for event, second in (("promoting", 10), ("promoted", 20)):
            entry = Entry(
                time=f"2026-01-01T00:0{minute}:{second}.000000+00:00",
                event=event,
                hash=bundle_hash,
                previous=previous,
                promotion=str(minute),
                why="a test",
            )
            ledger.append(state, entry)
        state.point_to(bundle_hash)
    refused = Entry(event="refused", hash="c" * 64, previous="b" * 64, why="another answer")
    ledger.append(state, refused)
    note = {"versions": {"a" * 64: "1"}, "champion": "a" * 64, "behind": "locked"}
    write_json(state.registry, note)
    return state


def test_the_releases_are_listed_oldest_first_with_what_mlflow_knows(state: ReleaseState) -> None:
    lines = releases_of(state.root, PRODUCT)
    assert [line.event for line in lines] == [*["promoting", "promoted"] * 2, "refused"]
    registry = ["version 1", "version 1", "behind", "behind", ""]
    assert [line.registry for line in lines] == registry
    assert "promoted             bbbbbbbbbbbb  after aaaaaaaaaaaa  behind" in as_table(lines)
    assert as_table([]) == "Nothing was ever released."


def test_what_answered_is_said_for_a_time(state: ReleaseState) -> None:
    def at(minute: int) -> str:
        moment = datetime(2026, 1, 1, 0, minute, 30, tzinfo=UTC)
        return answered(state.root, PRODUCT, moment).sentence

    assert at(0).startswith(f"Version 1, bundle {'a' * 64}: promoted 2026-01-01T00:00:20")
    assert at(5).startswith(f"Bundle {'b' * 64}: promoted")
    assert answered(state.root, PRODUCT, datetime(2025, 1, 1, tzinfo=UTC)).event is None
    ledger.append(state, Entry(event="stopped", hash=None, previous="b" * 64, why="asked for"))
    assert answered(state.root, PRODUCT, datetime.now(UTC)).sentence.startswith("Nothing answered")


def test_the_verbs_speak_to_programs_and_say_by_their_exit_code_what_was_altered(
    state: ReleaseState, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(state.root)
    assert main(["releases", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert list(lines[0]) == ["time", "event", "hash", "previous", "why", "registry"]
    assert main(["at", "2026-01-01T00:00:30+00:00", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == "a" * 64
    assert main(["release", "--at", "2026-01-01T00:00:30+00:00"]) == 0
    assert "a" * 64 in capsys.readouterr().out
    assert main(["verify"]) == 0
    state.ledger.write_bytes(state.ledger.read_bytes().replace(b"a test", b"a lie", 1))
    assert main(["verify"]) == 1
    told = capsys.readouterr().err
    assert "line 1 was altered" in told
    assert "put ledger.jsonl" in told
    assert "folder as evidence" not in told
    with pytest.raises(ReleaseError, match=PRODUCT):
        verify_releases(state.root, PRODUCT)
