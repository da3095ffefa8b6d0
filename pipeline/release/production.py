"""The long-lived server of a product: brought to what the pointer names, started, stopped.

Each start and stop is a line of the ledger, so that it says at any time whether anything answered.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.core.errors import ReleaseError
from pipeline.core.process_identity import is_running
from pipeline.core.server_note import ServerNote
from pipeline.release import ledger
from pipeline.release.ledger import Entry
from pipeline.release.requests import accepts, readiness
from pipeline.release.server_process import (
    DEFAULT_PORT,
    ServerProcess,
    running_server,
    server_note,
    start_server,
    stop_all,
    stop_process,
)
from pipeline.release.state import ReleaseState

FOLLOW_SECONDS = 30.0
_POLL_SECONDS = 0.02
_CLOSING_POLL_SECONDS = 0.005


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server that serves what the pointer names, and since when; `started` if it had to be."""

    server: ServerProcess
    since: str
    started: bool = False


def follow(
    state: ReleaseState, server: ServerProcess, bundle_hash: str, *, refused: str | None = None
) -> Served:
    """Waits until every worker of a server serves a bundle.

    Args:
        refused: the reason that the server gave for refusing an earlier one.

    Raises:
        ReleaseError: it refused this one too, its process ended, or it took `FOLLOW_SECONDS`.
    """
    deadline, reason = time.monotonic() + FOLLOW_SECONDS, ""
    while not reason:
        ready, note = readiness(server.address, timeout=2.0), _note_of(state, server)
        serves = ready is not None and ready.hash == bundle_hash
        if ready is not None and serves and (note is None or note.serves(bundle_hash)):
            return Served(server=server, since=ready.since or ledger.now())
        # Any worker may have answered; the note knows of each.
        errors = (ready and ready.last_error, note and note.refusal(bundle_hash))
        if error := next((error for error in errors if error not in (None, refused)), None):
            reason = f"it refused it: {error}"
        elif not is_running(server.process):
            reason = "its process ended"
        elif time.monotonic() > deadline:
            reason = f"not within {FOLLOW_SECONDS:g} s"
        else:
            time.sleep(_POLL_SECONDS)
    raise ReleaseError(
        f"{server.address.url} does not serve bundle {bundle_hash[:12]}: {reason}",
        expected="the server to follow its pointer",
        next_step="read logs/server.log in the product's folder of .modelyard/products/",
    )


def _note_of(state: ReleaseState, server: ServerProcess) -> ServerNote | None:
    """The server's note of its workers; None for a server of a version that wrote none."""
    note = server_note(state)
    return note if note is not None and note.process == server.process else None


def serve_current(state: ReleaseState, port: int | None = None) -> Served:
    """The server of what the pointer names: the running one, or a new one at the same address.

    Args:
        port: where a new one should listen; None takes the port that the last one had.

    Raises:
        ReleaseError: nothing was released, or no server can serve it.
    """
    bundle_hash = state.current()
    if bundle_hash is None:
        raise ReleaseError(
            f"no released model of {state.product}",
            expected="a model that passed the gate and was released",
            next_step="run `make pipeline`",
        )
    if (running := running_server(state)) is not None:
        try:
            return follow(state, running, bundle_hash)
        except ReleaseError:
            stop_process(running.process)
            port = running.port
    server = start_server(state, port or last_port(state))
    served = follow(state, server, bundle_hash)
    return Served(server=server, since=served.since, started=True)


def last_port(state: ReleaseState) -> int:
    """The port that people know: that of the last server, or the usual one."""
    noted = state.optional(state.server) or {}
    return int(noted.get("port", DEFAULT_PORT))


def note_start(state: ReleaseState, served: Served, why: str) -> None:
    """Writes to the ledger that a server was started."""
    now = state.current()
    entry = Entry(event="started", hash=now, previous=None, since=served.since, why=why)
    ledger.append(state, entry)


def stop_serving(state: ReleaseState, why: str = "asked for") -> bool:
    """Stops what was started for this product, and notes it in the ledger; True if anything ran."""
    server = running_server(state)
    with ThreadPoolExecutor(max_workers=1) as pool:
        stopping = pool.submit(stop_all, state)
        # What runs is finished: until the port is closed, callers get answers.
        since = ledger.now()
        while server is not None and not stopping.done() and accepts(server.address):
            time.sleep(_CLOSING_POLL_SECONDS)
            since = ledger.now()
        stopped = stopping.result()
    if server is not None:
        now = state.current()
        ledger.append(state, Entry(event="stopped", hash=None, previous=now, since=since, why=why))
    return bool(stopped)
