"""The ledger: which version was in production at a given time, and why.

MLflow keeps no history of an alias, so this file does: one JSON object a line, only ever appended
to, each line on the disk before the release goes on.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.core.errors import ReleaseError

Event = Literal["promoted", "rolled_back", "refused", "already", "kept"]
_IN_PRODUCTION: tuple[Event, ...] = ("promoted", "rolled_back", "already", "kept")


@dataclass(frozen=True)
class Entry:
    """One event of production.

    Attributes:
        time: UTC, ISO 8601 with microseconds.
        event: `promoted`: `hash` took over. `rolled_back`: `hash` (or nothing) serves again after
            `previous` failed. `already`: `hash` was asked for and serves already. `kept`: a retrain
            left `hash` where it is. `refused`: `hash` was not let in, `previous` goes on.
        hash: bundle hash; None when nothing is in production.
        version: version in the registry, where there is one.
        previous: bundle hash before the event.
        why: the reason, in words.
        verdict: summary of the gate's verdict.
    """

    time: str
    event: Event
    hash: str | None
    version: str | None
    previous: str | None
    why: str
    verdict: Mapping[str, Any] | None = None


def append(path: Path, entry: Entry) -> None:
    """Add one line and wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=False, allow_nan=False)
    with path.open("ab") as stream:
        # A process killed while it wrote leaves half a line: it must not swallow this one.
        stream.write(f"{_newline_owed(path)}{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def read(path: Path) -> list[Entry]:
    """All entries, oldest first; a line cut short by a kill is left out.

    Raises:
        ReleaseError: a line is damaged in another way.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    parsed = [_parse(number, line) for number, line in enumerate(lines, start=1) if line]
    return [entry for entry in parsed if entry is not None]


def at(path: Path, time: datetime) -> Entry | None:
    """The event that decided what was in production at `time` (aware); None before the first.

    Its `hash` is the bundle that served then (None: nothing did), `why` the reason.

    Raises:
        ValueError: `time` has no time zone.
    """
    if time.tzinfo is None:
        raise ValueError("a time without a time zone means another moment on each machine")
    moment = time.astimezone(UTC).isoformat(timespec="microseconds")
    decided = [e for e in read(path) if e.event in _IN_PRODUCTION and e.time <= moment]
    return decided[-1] if decided else None


def now() -> str:
    """The time as entries carry it: UTC, sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _newline_owed(path: Path) -> str:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if not size:
            return ""
        stream.seek(size - 1)
        return "" if stream.read(1) == b"\n" else "\n"


def _parse(number: int, line: str) -> Entry | None:
    try:
        fields = json.loads(line)
    except ValueError as error:
        if line.startswith("{"):
            # Half a line, left by a kill: whatever it was about did not happen.
            return None
        raise _damaged(number) from error
    try:
        return Entry(**fields)
    except TypeError as error:
        raise _damaged(number) from error


def _damaged(number: int) -> ReleaseError:
    return ReleaseError(
        f"line {number} of ledger.jsonl is damaged",
        expected="one JSON object a line, never edited by hand",
        next_step="restore the file from a backup",
    )
