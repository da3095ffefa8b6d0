"""Ends what a kill left unfinished: a half-written line, a promotion without an end, stray servers.

Nothing here needs MLflow, and nothing that is damaged stops it: the pointer goes back first, then the
server, and the ledger says so last.
"""

import uuid
from datetime import UTC, datetime

import psutil

from pipeline.release import ledger
from pipeline.release.durable import Write, durable
from pipeline.release.ledger import Entry
from pipeline.release.production import serve_current
from pipeline.release.requests import readiness
from pipeline.release.server_process import find_servers, running_server, stop_process
from pipeline.release.state import ReleaseState

_CUT_SHORT = "it was cut short before it was verified"


def repair(state: ReleaseState) -> bool:
    """Ends what a kill left unfinished; True if a promotion was undone.

    Call it with the lock held. Servers that a killed release left behind are stopped too.
    """
    ledger.finish(state)
    _take_over_journal(state)
    _stop_strays(state)
    promotion = ledger.unfinished(state.ledger)
    if promotion is not None:
        restore(state, promotion, _CUT_SHORT)
        return True
    _note_crash(state)
    return False


def restore(state: ReleaseState, promotion: Entry, why: str) -> None:
    """Puts pointer and server back as before a promotion, and records that.

    Args:
        promotion: the line `promoting` that began it.
    """
    failed, before = promotion.hash, promotion.previous
    server = running_server(state)
    ready = None if server is None else readiness(server.address, timeout=2.0)
    failed_since = ready.since if ready is not None and ready.hash == failed else None
    if state.current() != before:
        state.point_back_to(before)
    since = None
    if before is not None:
        since = serve_current(state).since
    elif server is not None:
        # Nothing was in production before: the server that this promotion started has nothing to do.
        stop_process(server.process)
        state.server.unlink(missing_ok=True)
    end = Entry(
        event="rolled_back",
        hash=before,
        previous=failed,
        promotion=promotion.promotion,
        since=since,
        previous_since=failed_since,
        why=why,
    )
    ledger.append(state, end)


def _take_over_journal(state: ReleaseState) -> None:
    """Makes the promotion that an older version noted in `promotion.json` one of the ledger."""
    promotion = state.older_promotion()
    if promotion is None:
        return
    written = datetime.fromtimestamp(state.journal.stat().st_mtime, UTC).isoformat()
    for last in ledger.latest(state.ledger):
        if last.event in ("promoted", "already", "rolled_back", "promoting"):
            ended = last.hash if last.event != "rolled_back" else last.previous
            known = ended == promotion.failed and (
                last.event != "rolled_back" or last.time > written
            )
            break
    else:
        known = False
    if not known:
        begun = Entry(
            event="promoting",
            hash=promotion.failed,
            previous=promotion.hash,
            promotion=new_promotion(),
            why="taken over from promotion.json",
        )
        ledger.append(state, begun)
    with durable(Write.JOURNAL):
        state.journal.unlink()


def new_promotion() -> str:
    """A number for a promotion that no other has."""
    return uuid.uuid4().hex[:12]


def _stop_strays(state: ReleaseState) -> None:
    """Stops the servers that were started for this product, but for the one that serves it."""
    server = running_server(state)
    kept = set() if server is None else {server.pid, *_descendants(server.pid)}
    for process in find_servers(state):
        if process.pid not in kept:
            stop_process(process)


def _descendants(pid: int) -> set[int]:
    try:
        return {child.pid for child in psutil.Process(pid).children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()


def _note_crash(state: ReleaseState) -> None:
    """Writes to the ledger that the server is gone without anybody having stopped it."""
    now = state.current()
    if now is None or not state.server.exists() or running_server(state) is not None:
        return
    told = (*ledger.ENDS, "already", "started", "stopped", "crashed")
    last = next((entry for entry in ledger.latest(state.ledger) if entry.event in told), None)
    if last is not None and last.event not in ("stopped", "crashed"):
        why = "its process was found ended; nobody noted when"
        ledger.append(state, Entry(event="crashed", hash=None, previous=now, why=why))
