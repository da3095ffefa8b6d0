"""The ledger: what was in production at any time and why, one JSON object a line.

`ledger.jsonl` is only ever appended to, with a lock held, and its lines are chained and signed
(chain.py). A promotion is two lines with one `promotion` number: `promoting`, just before the pointer
moves, and how it ended. So the ledger is the journal too: a promotion without an end is what a kill
left, and `repair` ends it.

Times are of two kinds. `time` is when the line was written; `since`, where it differs, when callers
began to get what it says, as the server itself reports it. `answered_at` goes by the latter.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.core.errors import ReleaseError
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.release.chain import open_chain
from pipeline.release.state import ReleaseState

Event = Literal[
    "promoting",
    "promoted",
    "rolled_back",
    "rolled_back_by_hand",
    "refused",
    "already",
    "kept",
    "started",
    "stopped",
    "crashed",
    "new_key",
    "canary",
    "canary_ended",
]
ENDS: tuple[Event, ...] = ("promoted", "rolled_back", "rolled_back_by_hand")
_OF_OLDER_VERSIONS: tuple[Event, ...] = ("promoted", "rolled_back", "already", "kept")
"""Events by which older versions, which knew no `started` and `stopped`, said what serves."""
VerdictSummary = Mapping[str, bool | int | str | None]
"""`passed`, `released`, and how many of the gate's checks had each outcome."""


def now() -> str:
    """The time as the ledger writes it: UTC, ISO 8601 with microseconds, which sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event in the history of what was in production.

    Attributes:
        event: `promoting`: the pointer is about to move to `hash`. `promoted`: it did, and the server
            passed every check. `rolled_back`: `hash` (or nothing) serves again after `previous`
            failed. `rolled_back_by_hand`: a person brought `hash` back. `refused`: `hash` was not
            released, `previous` stays. `already`: `hash` was to be released and serves already.
            `kept`: `hash` was left in production. `started`, `stopped`, `crashed`: the server.
            `new_key`: from here on another key signs. `canary`: `hash` answers a share of the requests
            beside `previous`; `canary_ended`: nobody asks that any more.
        hash: bundle hash; None when nothing is in production, or nothing answers.
        version: of the registered model, in lines of older versions.
        previous: bundle hash before the event; None when nothing was in production.
        promotion: number that `promoting` and its end share.
        since: when `hash` began to answer; None where that is `time`.
        previous_since: of `rolled_back`: when the failed `previous` began to answer; None if it never
            did, or nobody saw it.
        run: of `promoting`: the MLflow run that built the bundle.
        chain: SHA-256 of the line before; None in lines of older versions.
    """

    time: str = field(default_factory=now)
    event: Event
    hash: str | None
    version: str | None = None
    previous: str | None
    why: str
    verdict: VerdictSummary | None = None
    promotion: str | None = None
    since: str | None = None
    previous_since: str | None = None
    run: str | None = None
    chain: str | None = None


def append(state: ReleaseState, entry: Entry) -> None:
    """Adds one line and waits until it is on the disk."""
    with open_chain(state) as chain:
        if chain.has_another_key:
            why = "the key that signed the lines before is no longer here"
            lost = Entry(event="new_key", hash=None, previous=None, why=why)
            chain.add(lambda link: _text(replace(lost, chain=link)))
        chain.add(lambda link: _text(replace(entry, chain=link)))


def finish(state: ReleaseState) -> None:
    """Finishes the line that a kill cut short, which the head holds; a new ledger is not made."""
    if state.head.exists():
        with open_chain(state):
            pass


def read(path: Path) -> list[Entry]:
    """All entries, oldest first, without a line that a kill cut short.

    Raises:
        ReleaseError: a line is damaged in another way.
    """
    entries = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            entries += [_parse(line)] if line else []
        except ValueError as error:
            if not isinstance(error, MismatchError) and line.startswith("{"):
                # Half a line, left by a kill: the event that it was to record did not happen.
                continue
            raise ReleaseError(
                f"line {number} of {path.name} is damaged",
                expected="one JSON object a line, never edited by hand",
                next_step="`modelyard verify` says what else is; restore the file from a backup",
            ) from error
    return entries


def latest(path: Path) -> Iterator[Entry]:
    """The entries, newest first, without those that cannot be read: nothing damaged stops a repair."""
    for line in reversed(_lines(path)):
        try:
            yield _parse(line)
        except ValueError:
            continue


def unfinished(path: Path) -> Entry | None:
    """The line `promoting` of a promotion that has no end yet; None where each has one."""
    for entry in latest(path):
        if entry.event in ENDS:
            return None
        if entry.event == "promoting":
            return entry
    return None


def before(path: Path, bundle_hash: str | None) -> str | None:
    """The bundle that the one in production replaced when it last took over; None for the first."""
    for entry in latest(path):
        if entry.event in ("promoted", "rolled_back_by_hand") and entry.hash == bundle_hash:
            return entry.previous
    return None


def answered_at(path: Path, moment: datetime) -> Entry | None:
    """The event that decided what answered at a moment; None before the first.

    Its `hash` is what callers got then; None where nothing answered.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone means another moment on each machine")
    asked = moment.astimezone(UTC).isoformat(timespec="microseconds")
    entries = read(path)
    decided = [entry for time, entry in _answers(entries) if time <= asked]
    return decided[-1] if decided else None


def _answers(entries: list[Entry]) -> Iterator[tuple[str, Entry]]:
    """When each bundle began to answer, by the event that says so; a stop as a bundle of None."""
    began = {entry.promotion: entry for entry in entries if entry.event == "promoting"}
    last = next((entry for entry in reversed(entries) if entry.event in ("promoting", *ENDS)), None)
    for entry in entries:
        if entry.chain is None:
            if entry.event in _OF_OLDER_VERSIONS:
                yield entry.time, entry
        elif entry.event == "promoting":
            # One with an end is told by that: only then is it known since when callers got it.
            if entry is last:
                yield entry.time, entry
        elif entry.event in (*ENDS, "started", "stopped", "crashed"):
            if entry.previous_since is not None and entry.promotion in began:
                yield entry.previous_since, began[entry.promotion]
            yield entry.since or entry.time, entry


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []


def _parse(line: str) -> Entry:
    """One entry; ValueError where the line is none."""
    return read_as(Entry, json.loads(line))


def _text(entry: Entry) -> str:
    known = {
        key: value
        for key, value in asdict(entry).items()
        if value is not None or key in ("hash", "previous")
    }
    return json.dumps(known, sort_keys=True, ensure_ascii=False, allow_nan=False)
