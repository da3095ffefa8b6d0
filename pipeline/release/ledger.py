"""The ledger: which version was in production at a given time, and why.

MLflow keeps no history of an alias, so this file does. It has one JSON object a line and is only
ever appended to; each line is on the disk before the release goes on.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.core.errors import ReleaseError

Event = Literal["promoted", "rolled_back", "refused", "already", "kept"]
_IN_PRODUCTION: tuple[Event, ...] = ("promoted", "rolled_back", "already", "kept")
VerdictSummary = Mapping[str, bool | int | str | None]
"""`passed`, `released`, and how many of the gate's checks had each outcome."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event in the history of what was in production.

    Attributes:
        time: UTC, ISO 8601 with microseconds, which sorts as text.
        event: `promoted`: `hash` took over. `rolled_back`: `hash` (or nothing) serves again after
            `previous` failed. `already`: `hash` was to be released and serves already. `kept`: a
            retrain left `hash` in production. `refused`: `hash` was not released, `previous` stays.
        hash: bundle hash; None when nothing is in production.
        previous: bundle hash before the event; None when nothing was in production.
    """

    time: str = field(default_factory=_now)
    event: Event
    hash: str | None
    version: str | None = None
    previous: str | None
    why: str
    verdict: VerdictSummary | None = None


def append(path: Path, entry: Entry) -> None:
    """Adds one line and waits until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=False, allow_nan=False)
    with path.open("a+b") as stream:
        # A process killed while it wrote leaves half a line: it must not swallow this one.
        stream.seek(max(stream.seek(0, os.SEEK_END) - 1, 0))
        newline = "\n" if stream.read() not in (b"", b"\n") else ""
        stream.write(f"{newline}{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def read(path: Path) -> list[Entry]:
    """All entries, oldest first, without a line that a kill cut short.

    Raises:
        ReleaseError: a line is damaged in another way.
    """
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            entries += [Entry(**json.loads(line))] if line else []
        except (ValueError, TypeError) as error:
            if isinstance(error, ValueError) and line.startswith("{"):
                # Half a line, left by a kill: the event that it was to record did not happen.
                continue
            raise ReleaseError(
                f"line {number} of ledger.jsonl is damaged",
                expected="one JSON object a line, never edited by hand",
                next_step="restore the file from a backup",
            ) from error
    return entries


def at(path: Path, time: datetime) -> Entry | None:
    """The last event up to `time` that decided what is in production; None before the first.

    Its `hash` is the bundle that served then, or None if none did.
    """
    if time.tzinfo is None:
        raise ValueError("a time without a time zone means another moment on each machine")
    moment = time.astimezone(UTC).isoformat(timespec="microseconds")
    decided = [e for e in read(path) if e.event in _IN_PRODUCTION and e.time <= moment]
    return decided[-1] if decided else None
