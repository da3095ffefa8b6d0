"""Look up which version of a product was in production at a moment, and why.

modelyard at 2026-01-31T12:00:00+00:00 [--product NAME]
"""

from datetime import datetime
from pathlib import Path

from pipeline.release import ledger
from pipeline.release.state import ReleaseState


def in_production(root: Path, product: str, moment: datetime) -> ledger.Entry | None:
    """The ledger's entry in force at a moment; a time without a zone is local time."""
    aware = moment if moment.tzinfo else moment.astimezone()
    return ledger.at(ReleaseState(root, product).ledger, aware)


def describe(entry: ledger.Entry | None) -> str:
    """One sentence: what was in production, since when, and why."""
    if entry is None or entry.hash is None:
        return "Nothing was in production."
    return f"Version {entry.version}, bundle {entry.hash}: {entry.event} {entry.time}, {entry.why}."
