"""Says by the ledgers what was in production when: asks nothing else, and changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.core.errors import ReleaseError
from pipeline.release import chain, ledger
from pipeline.release.ledger import Entry
from pipeline.release.registry_note import RegistryNote, ever_promoted, is_behind, registry_note
from pipeline.release.signing import signature_faults
from pipeline.release.state import ReleaseState, all_states

_NOTHING = "Nothing was in production."
_MEND_LEDGER = (
    "Keep the files as evidence, and put ledger.jsonl, ledger.head.json and ledger.pub back from one "
    "backup; where only the last line is missing, `modelyard serve` adds it."
)
_MEND_BUNDLE = (
    "Keep a copy of the bundle's folder as evidence: a release of the same bundle makes and signs it "
    "anew, and `modelyard rollback --to HASH` brings back a whole one."
)


@dataclass(frozen=True, kw_only=True)
class ReleaseLine:
    """One line of `modelyard releases`.

    Attributes:
        registry: `version N` of the bundle in MLflow; `behind` where MLflow does not know it yet, or
            has the alias elsewhere; empty where the line is of none that was ever in production.
    """

    time: str
    event: str
    hash: str | None
    previous: str | None
    why: str
    registry: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The bundle that answered at a moment.

    Attributes:
        hash: the bundle; None where nothing answered.
        since: when it began to.
        event: the event of the ledger that says so; None before the first.
    """

    time: str
    hash: str | None
    since: str | None = None
    event: str | None = None
    why: str | None = None
    version: str | None = None

    @property
    def sentence(self) -> str:
        """The answer for a person."""
        if self.event is None:
            return _NOTHING
        event = self.event.replace("_", " ")
        if self.hash is None:
            return f"Nothing answered: {event} {self.since}, {self.why}."
        version = f"Version {self.version}, bundle" if self.version else "Bundle"
        return f"{version} {self.hash}: {event} {self.since}, {self.why}."


def releases_of(root: Path, product: str) -> list[ReleaseLine]:
    """The ledger of a product, oldest first, with what MLflow knows of each line's bundle."""
    state = ReleaseState(root, product)
    note, promoted = registry_note(state), ever_promoted(state)
    return [
        ReleaseLine(
            time=entry.time,
            event=entry.event,
            hash=entry.hash,
            previous=entry.previous,
            why=entry.why,
            registry=_registered(state, entry, note) if entry.hash in promoted else "",
        )
        for entry in ledger.read(state.ledger)
    ]


def as_table(lines: list[ReleaseLine]) -> str:
    """The lines for a person: when, what, which bundle after which, why."""
    if not lines:
        return "Nothing was ever released."
    rows = [
        f"{line.time[:19]}Z  {line.event.replace('_', ' '):<19}  {(line.hash or '-')[:12]:<12}  "
        f"after {(line.previous or '-')[:12]:<12}  {line.registry:<10}  {line.why}".rstrip()
        for line in lines
    ]
    return "\n".join(rows)


def answered(root: Path, product: str, moment: datetime) -> Answered:
    """The answer to what served at a moment (local time without a zone), since when and why."""
    state, aware = ReleaseState(root, product), moment if moment.tzinfo else moment.astimezone()
    entry = ledger.answered_at(state.ledger, aware)
    if entry is None:
        return Answered(time=aware.isoformat(), hash=None)
    return Answered(
        time=aware.isoformat(),
        hash=entry.hash,
        since=entry.since or entry.time,
        event=entry.event,
        why=entry.why,
        version=registry_note(state).versions.get(entry.hash or ""),
    )


def verify_releases(root: Path, product: str = "") -> str:
    """Says that the ledgers and the released bundles are whole; of every product, if none is named.

    Raises:
        ReleaseError: a line or a file was altered, cut or added.
    """
    states = [ReleaseState(root, product)] if product else all_states(root)
    lines = [(state.product, fault) for state in states for fault in chain.faults(state)]
    files = [(state.product, fault) for state in states for fault in signature_faults(state)]
    if lines or files:
        raise ReleaseError(
            "; ".join(f"{name}: {fault}" for name, fault in (*lines, *files)),
            expected="ledgers and released bundles as releases wrote them",
            next_step=" ".join(
                (_MEND_LEDGER if lines else "", _MEND_BUNDLE if files else "")
            ).strip(),
        )
    count = sum(len(ledger.read(state.ledger)) for state in states)
    return f"{count} lines of {len(states)} ledgers are as they were written."


def _registered(state: ReleaseState, entry: Entry, note: RegistryNote) -> str:
    version = note.versions.get(entry.hash or "")
    behind = version is None or (entry.hash == state.current() and is_behind(state, note))
    return "behind" if behind else f"version {version}"
