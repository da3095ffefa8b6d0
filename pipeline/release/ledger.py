"""The ledger: which version was in production at a given time, and why.

MLflow keeps no history of an alias, so this file does. It has one JSON object a line and is only
ever appended to; each line is on the disk before the release goes on.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.core.errors import ReleaseError

Event = Literal["promoted", "rolled_back", "refused", "already", "kept"]
_IN_PRODUCTION: tuple[Event, ...] = ("promoted", "rolled_back", "already", "kept")
VerdictSummary = Mapping[str, bool | int | str | None]
"""`passed`, `released`, and how many of the gate's checks had each outcome."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event in the history of what was in production.

    Attributes:
        time: UTC, ISO 8601 with microseconds.
        event: `promoted`: `hash` took over. `rolled_back`: `hash` (or nothing) serves again after
            `previous` failed. `already`: `hash` was to be released and serves already. `kept`: a
            retrain left `hash` in production. `refused`: `hash` was not released, `previous` stays.
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
    verdict: VerdictSummary | None = None


def append(path: Path, entry: Entry) -> None:
    """Adds one line and waits until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=False, allow_nan=False)
    with path.open("ab") as stream:
        # A process killed while it wrote leaves half a line: it must not swallow this one.
        stream.write(f"{_missing_newline(path)}{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def read(path: Path) -> list[Entry]:
    """All entries, oldest first, without a line that a kill cut short.

    Raises:
        ReleaseError: a line is damaged in another way.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    parsed = [_parse(number, line) for number, line in enumerate(lines, start=1) if line]
    return [entry for entry in parsed if entry is not None]


def at(path: Path, time: datetime) -> Entry | None:
    """The last event up to `time` that decided what is in production; None before the first.

    Its `hash` is the bundle that served then, or None if none did.

    Raises:
        ValueError: `time` has no time zone.
    """
    if time.tzinfo is None:
        raise ValueError("a time without a time zone means another moment on each machine")
    moment = time.astimezone(UTC).isoformat(timespec="microseconds")
    decided = [e for e in read(path) if e.event in _IN_PRODUCTION and e.time <= moment]
    return decided[-1] if decided else None


def now() -> str:
    """The current time as entries write it: UTC, in a form that sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _missing_newline(path: Path) -> str:
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
            # Half a line, left by a kill: the event that it was to record did not happen.
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
