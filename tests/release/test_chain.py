"""The chained and signed lines: no line can be cut, changed or added unseen, and no kill harms them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.files import read_json, write_json
from pipeline.release import ledger
from pipeline.release.chain import faults
from pipeline.release.keys import ledger_key_file
from pipeline.release.ledger import Entry
from pipeline.release.state import ReleaseState
from tests.support.repository import REPOSITORY


def _add(state: ReleaseState, why: str) -> None:
    ledger.append(state, Entry(event="kept", hash="a", previous="a", why=why))


@pytest.fixture(name="state")
def make_state(tmp_path: Path) -> ReleaseState:
    """A ledger of four lines."""
    state = ReleaseState(tmp_path, "tiny")
    for number in range(4):
        _add(state, f"reason {number}")
    return state


def _edit(line: int, change: Callable[[bytes], bytes | None]) -> Callable[[ReleaseState], None]:
    def edit(state: ReleaseState) -> None:
        lines = state.ledger.read_bytes().splitlines(keepends=True)
        changed = change(lines[line - 1])
        state.ledger.write_bytes(b"".join([*lines[: line - 1], changed or b"", *lines[line:]]))

    return edit


def _change_head(**values: object) -> Callable[[ReleaseState], None]:
    return lambda state: write_json(state.head, read_json(state.head) | values)


def _other_word(line: bytes) -> bytes:
    return line.replace(b"reason", b"season")


def _sign_with_another_key(state: ReleaseState) -> None:
    other = ReleaseState(state.root / "elsewhere", state.product)
    for number in range(4):
        _add(other, f"invented {number}")
    for mine, theirs in ((state.ledger, other.ledger), (state.head, other.head)):
        mine.write_bytes(theirs.read_bytes())


TAMPERINGS = {
    "the first line is edited": (_edit(1, _other_word), "line 1 was altered"),
    "a line within is edited": (_edit(3, _other_word), "line 3 was altered"),
    "the last line is edited": (_edit(4, _other_word), "line 4 is another"),
    "a line within is cut": (_edit(2, lambda _: None), "line 1 was altered, cut or added"),
    "the last line is cut": (_edit(4, lambda _: None), "line 4, which ledger.head.json signs"),
    "half of the last line is cut": (_edit(4, lambda line: line[:20]), "line 4"),
    "a line is added": (_edit(4, lambda line: line * 2), "line 5"),
    "a line has no chain": (_edit(4, lambda line: line + b'{"event":"kept"}\n'), "not chained"),
    "the head is gone": (lambda state: state.head.unlink(), "head.json, which signs"),
    "the head says another number": (_change_head(lines=3), "was altered"),
    "the head holds another line": (_change_head(line="{}"), "was altered"),
    "the head is no JSON": (lambda state: state.head.write_text("{"), "is damaged"),
    "the public key is gone": (lambda state: state.public_key.unlink(), "ledger.pub"),
    "all of it is signed anew": (_sign_with_another_key, "another key"),
    "the ledger is gone": (lambda state: state.ledger.unlink(), "line 4"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_altered_is_found_at_its_place_and_after_more_lines(
    state: ReleaseState, name: str
) -> None:
    assert faults(state) == []
    tamper, place = TAMPERINGS[name]
    tamper(state)
    assert place in "; ".join(faults(state))
    # A release goes on all the same; what it writes vouches for nothing that was altered.
    _add(state, "later")
    restored = ("the last line is cut", "half of the last line is cut", "the public key is gone")
    harmless = name in restored
    assert (faults(state) == []) is harmless


def test_a_key_that_was_lost_is_told_by_a_line(state: ReleaseState) -> None:
    ledger_key_file(state.root).unlink()
    _add(state, "with a new key")
    events = [entry.event for entry in ledger.read(state.ledger)]
    assert events == ["kept"] * 4 + ["new_key", "kept"]
    assert faults(state) == []


def test_a_line_that_only_the_head_holds_is_finished(state: ReleaseState) -> None:
    whole = state.ledger.read_bytes()
    for cut in (1, 30, len(whole.splitlines()[-1]) + 1):
        state.ledger.write_bytes(whole[:-cut])
        ledger.finish(state)
        assert state.ledger.read_bytes() == whole


ADD = """
import sys
from pathlib import Path
from pipeline.release import ledger
from pipeline.release.ledger import Entry
from pipeline.release.state import ReleaseState
for number in range(10):
    entry = Entry(event="kept", hash=None, previous=None, why=sys.argv[2] + str(number))
    ledger.append(ReleaseState(Path(sys.argv[1]), "tiny"), entry)
"""


def test_processes_that_write_at_once_do_not_fork_the_chain(tmp_path: Path) -> None:
    state = ReleaseState(tmp_path, "tiny")
    command = [sys.executable, "-c", ADD, str(tmp_path)]
    started = [subprocess.Popen([*command, name], cwd=REPOSITORY) for name in ("a", "b", "c")]
    assert [process.wait() for process in started] == [0, 0, 0]
    reasons = [json.loads(line)["why"] for line in state.ledger.read_text().splitlines()]
    assert sorted(reasons) == sorted(f"{name}{n}" for name in "abc" for n in range(10))
    assert faults(state) == []
