"""A release as a transaction: copy, register, bless, promote, verify, record; or all as before.

    copy      the bundle goes to `releases/<hash>` of its product's folder; only that copy is ever served
    register  a version in MLflow that carries the hash; the same hash gets no second one
    bless     a candidate server on a port of its own answers the golden requests, fast and small
    promote   alias `champion` and pointer file; the long-lived server follows, or is started
    verify    real requests to the address that people use
    record    the ledger

Before the first of them that people could notice, what stands is written to a journal. An error
puts it back at once; after a kill the next start of anything here does (`repair`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.files import write_json
from pipeline.release import ledger
from pipeline.release.blessing import Limits, bless, verify
from pipeline.release.copies import copy_bundle
from pipeline.release.registry import Registry
from pipeline.release.requests import Address, served_hash
from pipeline.release.server_process import (
    DEFAULT_PORT,
    Server,
    running_server,
    start_server,
    stop_server,
    stop_strays,
    wait_for_hash,
)
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import Bundle

Result = TypeVar("Result")
FOLLOW_SECONDS = 30.0
_SILENT = "it was killed before it was verified"


@dataclass(frozen=True)
class Order:
    """What to release.

    Attributes:
        bundle: the folder of the bundle.
        why: the reason, for the ledger.
        run_id: MLflow run that built it, if any.
        verdict: summary of the gate's verdict, for the ledger.
        limits: what the candidate must keep.
        port: where the server should listen, if it does not run yet.
    """

    bundle: Path
    why: str
    run_id: str | None = None
    verdict: Mapping[str, Any] | None = None
    limits: Limits = field(default_factory=Limits)
    port: int = DEFAULT_PORT


@dataclass(frozen=True)
class Release:
    """What came of it.

    Attributes:
        hash: the bundle's hash.
        version: its version in the registry.
        address: where it is served, a URL.
        outcome: `promoted`, or `already serving`.
    """

    hash: str
    version: str
    address: str
    outcome: str


def run_directly(name: str, work: Callable[[], Result]) -> Result:
    """Run one step of a release as a plain call."""
    del name
    return work()


class Rollout:
    """Releases of one product.

    Args:
        root: the project's folder.
        product: the name that the bundles carry.
        run_step: runs one named step; a flow passes one that makes it a Prefect task.
    """

    def __init__(
        self, root: Path, product: str, run_step: Callable[..., Any] = run_directly
    ) -> None:
        self._root, self._product = root, product
        self._state = ReleaseState(root, product)
        self._step = run_step

    def release(self, order: Order) -> Release:
        """Release a bundle; one that serves already is only verified.

        Raises:
            ReleaseError: it could not be released; what served before serves again.
            ArtifactError: the bundle is damaged.
        """
        with self._state.lock():
            repair(self._state)
            bundle: Bundle = self._step("copy", lambda: copy_bundle(self._state, order.bundle))
            registry = Registry(self._root, self._product)
            previous = self._state.current()
            try:
                return self._run(order, bundle, registry)
            except BaseException as error:
                self._undo(order, bundle, previous=previous, error=error)
                if isinstance(error, PipelineError) or not isinstance(error, Exception):
                    raise
                raise _unforeseen(error) from error

    def _run(self, order: Order, bundle: Bundle, registry: Registry) -> Release:
        version: str = self._step("register", lambda: registry.register(bundle, order.run_id))
        if (address := self._serving(bundle, registry, version)) is not None:
            return self._record(order, bundle, version=version, address=address)
        self._step("bless", lambda: bless(self._state, bundle, order.limits))
        server: Server = self._step(
            "promote", lambda: promote(self._state, bundle, registry, version, order.port)
        )
        self._step("verify", lambda: verify(server.address, bundle))
        return self._record(order, bundle, version=version, address=server.address)

    def _serving(self, bundle: Bundle, registry: Registry, version: str) -> Address | None:
        """The address, if all is as after a release of this very bundle."""
        server = running_server(self._state)
        in_place = self._state.current() == bundle.hash and registry.champion() == version
        if server is None or not in_place or served_hash(server.address) != bundle.hash:
            return None
        self._step("verify", lambda: verify(server.address, bundle))
        return server.address

    def _record(self, order: Order, bundle: Bundle, *, version: str, address: Address) -> Release:
        # Without a journal nothing was changed; with one, a stopped server may have come back.
        journal = self._state.optional(self._state.journal)
        before = journal["hash"] if journal else bundle.hash
        already = before == bundle.hash
        entry = ledger.Entry(
            time=ledger.now(),
            event="already" if already else "promoted",
            hash=bundle.hash,
            version=version,
            previous=before,
            why=order.why,
            verdict=order.verdict,
        )
        self._step("record", lambda: ledger.append(self._state.ledger, entry))
        self._state.journal.unlink(missing_ok=True)
        outcome = "already serving" if already else "promoted"
        return Release(bundle.hash, version, address.url, outcome)

    def _undo(
        self, order: Order, bundle: Bundle, *, previous: str | None, error: BaseException
    ) -> None:
        """Put back what stood, and say in the ledger what happened."""
        why = f"{order.why}; {type(error).__name__}: {_first_line(error)}"
        if self._state.journal.exists():
            restore(self._state, why)
            return
        entry = ledger.Entry(
            time=ledger.now(),
            event="refused",
            hash=bundle.hash,
            version=None,
            previous=previous,
            why=why,
            verdict=order.verdict,
        )
        ledger.append(self._state.ledger, entry)


def promote(
    state: ReleaseState, bundle: Bundle, registry: Registry, version: str, port: int
) -> Server:
    """Make `bundle` the one that people get, and return the server that serves it.

    Raises:
        ReleaseError: no server serves it in time.
    """
    server = running_server(state)
    write_json(
        state.journal,
        {
            "hash": state.current(),
            "failed": bundle.hash,
            "champion": registry.champion(),
            "server": None if server is None else server.pid,
        },
    )
    registry.set_champion(version)
    state.point_to(bundle.hash)
    server = server or start_server(state, port, ledger.now())
    if not wait_for_hash(server.address, bundle.hash, seconds=FOLLOW_SECONDS):
        raise ReleaseError(
            f"{server.address.url} does not serve bundle {bundle.hash[:12]}",
            expected=f"the server to follow its pointer within {FOLLOW_SECONDS:g} s",
            next_step=f"read {state.logs / 'server.log'}",
        )
    return server


def repair(state: ReleaseState) -> bool:
    """Put back what stood before a promotion that a kill cut short; True if there was one.

    To be called with the lock held. Stray servers of that release are stopped too.
    """
    broken = state.journal.exists() and not _is_recorded(state)
    if broken:
        restore(state, _SILENT)
    state.journal.unlink(missing_ok=True)
    stop_strays(state, running_server(state))
    return broken


def restore(state: ReleaseState, why: str) -> None:
    """Bring back the pointer, alias and server that the journal names, and record it."""
    journal = state.optional(state.journal)
    registry = Registry(state.root, state.product)
    registry.set_champion(journal["champion"])
    state.point_to(journal["hash"])
    server = running_server(state)
    if server is not None and (server.pid != journal["server"] or journal["hash"] is None):
        # This release started it: before, nothing was served.
        stop_server(server.pid)
        state.server.unlink(missing_ok=True)
    elif server is not None and not wait_for_hash(
        server.address, journal["hash"], seconds=FOLLOW_SECONDS
    ):
        stop_server(server.pid)
        start_server(state, server.port, ledger.now())
    entry = ledger.Entry(
        time=ledger.now(),
        event="rolled_back",
        hash=journal["hash"],
        version=journal["champion"],
        previous=journal["failed"],
        why=why,
    )
    ledger.append(state.ledger, entry)
    state.journal.unlink(missing_ok=True)


def _is_recorded(state: ReleaseState) -> bool:
    """Whether the promotion of the journal was verified and recorded before the kill."""
    entries = ledger.read(state.ledger)
    last = entries[-1] if entries else None
    failed = state.optional(state.journal)["failed"]
    return last is not None and last.event in ("promoted", "already") and last.hash == failed


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _unforeseen(error: Exception) -> ReleaseError:
    return ReleaseError(
        f"the release broke off: {error!r}",
        expected="every step to succeed; what served before serves again",
        next_step="read the log above, mend the cause, run the release again",
    )
