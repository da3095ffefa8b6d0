"""A release as a transaction: copy, register, bless, promote, verify, record; or all as before.

    copy      the bundle goes to `releases/<hash>` of its product's folder; only that copy is served
    register  a version in MLflow that carries the hash; the same hash gets no second one
    bless     a candidate server on a port of its own answers the golden requests within the limits
    promote   alias `champion` and pointer file; the long-lived server follows, or is started
    verify    real requests to the address that people use
    record    the ledger

Before `promote` changes anything, the state to return to is written to a journal. After an error it
is restored at once; after a kill, by the next release or `make serve` (`repair`).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
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
    ServerProcess,
    running_server,
    start_server,
    stop_server,
    stop_strays,
    wait_for_hash,
)
from pipeline.release.state import Promotion, ReleaseState
from pipeline.runtime.bundle import Bundle

Result = TypeVar("Result")
FOLLOW_SECONDS = 30.0
_KILLED = "it was killed before it was verified"


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """A bundle to release, and how.

    Attributes:
        bundle: the folder of the bundle.
        why: the reason, for the ledger.
        run_id: MLflow run that built it, if any.
        verdict: summary of the gate's verdict, for the ledger.
        limits: limits that the candidate server must keep.
        port: where the server should listen, if it does not run yet.
    """

    bundle: Path
    why: str
    run_id: str | None = None
    verdict: ledger.VerdictSummary | None = None
    limits: Limits = field(default_factory=Limits)
    port: int = DEFAULT_PORT


@dataclass(frozen=True, kw_only=True)
class ReleaseResult:
    """The result of a release.

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
    """Runs one step of a release as a plain call."""
    del name
    return work()


class Rollout:
    """Releases bundles of one product.

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

    def release(self, request: ReleaseRequest) -> ReleaseResult:
        """Releases a bundle. One that serves already is only verified.

        Raises:
            ReleaseError: it could not be released; what served before serves again.
            ArtifactError: the bundle is damaged.
        """
        with self._state.lock():
            repair(self._state)
            bundle: Bundle = self._step("copy", lambda: copy_bundle(self._state, request.bundle))
            registry = Registry(self._root, self._product)
            previous = self._state.current()
            try:
                return self._run(request, bundle, registry)
            except BaseException as error:
                self._undo(request, bundle, previous=previous, error=error)
                if isinstance(error, PipelineError) or not isinstance(error, Exception):
                    raise
                raise _unforeseen(error) from error

    def _run(self, request: ReleaseRequest, bundle: Bundle, registry: Registry) -> ReleaseResult:
        version: str = self._step("register", lambda: registry.register(bundle, request.run_id))
        if (address := self._serving(bundle, registry, version)) is not None:
            return self._record(request, bundle, version=version, address=address)
        self._step("bless", lambda: bless(self._state, bundle, request.limits))
        server: ServerProcess = self._step(
            "promote",
            lambda: promote(
                self._state, bundle, registry=registry, version=version, port=request.port
            ),
        )
        self._step("verify", lambda: verify(server.address, bundle))
        return self._record(request, bundle, version=version, address=server.address)

    def _serving(self, bundle: Bundle, registry: Registry, version: str) -> Address | None:
        """The server's address if this very bundle is released and serves already, else None."""
        server = running_server(self._state)
        in_place = self._state.current() == bundle.hash and registry.champion() == version
        if server is None or not in_place or served_hash(server.address) != bundle.hash:
            return None
        self._step("verify", lambda: verify(server.address, bundle))
        return server.address

    def _record(
        self, request: ReleaseRequest, bundle: Bundle, *, version: str, address: Address
    ) -> ReleaseResult:
        """Writes the ledger and removes the journal."""
        # Without a journal nothing was changed; with one, a stopped server may have come back.
        promotion = self._state.unverified_promotion()
        before = promotion.hash if promotion else bundle.hash
        already = before == bundle.hash
        entry = ledger.Entry(
            time=ledger.now(),
            event="already" if already else "promoted",
            hash=bundle.hash,
            version=version,
            previous=before,
            why=request.why,
            verdict=request.verdict,
        )
        self._step("record", lambda: ledger.append(self._state.ledger, entry))
        self._state.journal.unlink(missing_ok=True)
        outcome = "already serving" if already else "promoted"
        return ReleaseResult(
            hash=bundle.hash, version=version, address=address.url, outcome=outcome
        )

    def _undo(
        self,
        request: ReleaseRequest,
        bundle: Bundle,
        *,
        previous: str | None,
        error: BaseException,
    ) -> None:
        """Restores the state before the release, and writes the failure to the ledger."""
        why = f"{request.why}; {type(error).__name__}: {_first_line(error)}"
        if (promotion := self._state.unverified_promotion()) is not None:
            restore(self._state, promotion, why)
            return
        entry = ledger.Entry(
            time=ledger.now(),
            event="refused",
            hash=bundle.hash,
            version=None,
            previous=previous,
            why=why,
            verdict=request.verdict,
        )
        ledger.append(self._state.ledger, entry)


def promote(
    state: ReleaseState, bundle: Bundle, *, registry: Registry, version: str, port: int
) -> ServerProcess:
    """Puts `bundle` into production and returns the server that serves it.

    Raises:
        ReleaseError: no server serves it in time.
    """
    server = running_server(state)
    before = Promotion(
        hash=state.current(),
        failed=bundle.hash,
        champion=registry.champion(),
        server=None if server is None else server.pid,
    )
    write_json(state.journal, asdict(before))
    registry.set_champion(version)
    state.point_to(bundle.hash)
    server = server or start_server(state, port)
    if not wait_for_hash(server.address, bundle.hash, seconds=FOLLOW_SECONDS):
        raise ReleaseError(
            f"{server.address.url} does not serve bundle {bundle.hash[:12]}",
            expected=f"the server to follow its pointer within {FOLLOW_SECONDS:g} s",
            next_step=f"read {state.logs / 'server.log'}",
        )
    return server


def repair(state: ReleaseState) -> bool:
    """Undoes a promotion that a kill cut short; True if there was one.

    Call it with the lock held. Servers that a killed release left behind are stopped too.
    """
    promotion = state.unverified_promotion()
    if promotion is not None and _is_recorded(state, promotion):
        promotion = None
    if promotion is not None:
        restore(state, promotion, _KILLED)
    state.journal.unlink(missing_ok=True)
    stop_strays(state, running_server(state))
    return promotion is not None


def restore(state: ReleaseState, promotion: Promotion, why: str) -> None:
    """Restores pointer, alias and server from before a promotion, and records the rollback."""
    registry = Registry(state.root, state.product)
    registry.set_champion(promotion.champion)
    state.point_to(promotion.hash)
    server = running_server(state)
    if server is not None and promotion.hash is not None and server.pid == promotion.server:
        if not wait_for_hash(server.address, promotion.hash, seconds=FOLLOW_SECONDS):
            stop_server(server.pid)
            start_server(state, server.port)
    elif server is not None:
        # This release started it: nothing was served before.
        stop_server(server.pid)
        state.server.unlink(missing_ok=True)
    entry = ledger.Entry(
        time=ledger.now(),
        event="rolled_back",
        hash=promotion.hash,
        version=promotion.champion,
        previous=promotion.failed,
        why=why,
    )
    ledger.append(state.ledger, entry)
    state.journal.unlink(missing_ok=True)


def _is_recorded(state: ReleaseState, promotion: Promotion) -> bool:
    """Whether the promotion was verified and recorded before the kill."""
    entries = ledger.read(state.ledger)
    last = entries[-1] if entries else None
    return (
        last is not None and last.event in ("promoted", "already") and last.hash == promotion.failed
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _unforeseen(error: Exception) -> ReleaseError:
    return ReleaseError(
        f"the release failed: {error!r}",
        expected="every step to succeed; what served before serves again",
        next_step="read the log above, fix the cause, run the release again",
    )
