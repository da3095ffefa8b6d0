"""A release as a transaction: copy, register, bless, promote, verify, record.

If a step fails, everything is put back as it was.

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

from pipeline.core.errors import ChampionChangedError, PipelineError, ReleaseError
from pipeline.core.files import write_json
from pipeline.release import ledger
from pipeline.release.blessing import Limits, bless, verify
from pipeline.release.registry import Registry
from pipeline.release.requests import served_hash
from pipeline.release.server_process import (
    DEFAULT_PORT,
    ServerProcess,
    find_servers,
    running_server,
    start_server,
    stop_process,
    wait_for_hash,
)
from pipeline.release.signing import sign_release
from pipeline.release.state import Promotion, ReleaseState
from pipeline.runtime.bundle import Bundle, open_bundle, write_copy

Result = TypeVar("Result")
FOLLOW_SECONDS = 30.0
ANY = "any"
"""The expectation of a release that replaces whatever is in production."""
StepRunner = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """A bundle to release, and how; `why` and the gate's verdict are for the ledger.

    Attributes:
        run_id: MLflow run that built it, if any.
        limits: limits that the candidate server must keep.
        expected_previous: hash of the only bundle that it may replace, as a retraining that compared
            the two asks; None: nothing may be in production yet.
        port: where the server should listen, if it does not run yet.
    """

    bundle: Path
    why: str
    run_id: str | None = None
    verdict: ledger.VerdictSummary | None = None
    limits: Limits = field(default_factory=Limits)
    expected_previous: str | None = ANY
    port: int = DEFAULT_PORT


@dataclass(frozen=True, kw_only=True)
class ReleaseResult:
    """The bundle's hash and version, the URL that serves it, and `promoted` or `already serving`."""

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

    Each step runs as `run_step(name, work)`: a plain call, or a Prefect task inside a flow.
    """

    def __init__(self, root: Path, product: str, run_step: StepRunner = run_directly) -> None:
        self._state, self._step = ReleaseState(root, product), run_step

    def release(self, request: ReleaseRequest) -> ReleaseResult:
        """Releases a bundle; if it is served already, it is only verified.

        Raises:
            ChampionChangedError: it may not replace what is in production now; nothing was done.
            ReleaseError: it could not be released; what served before serves again.
            ArtifactError: the bundle is damaged.
        """
        with self._state.lock():
            repair(self._state)
            _require_previous(self._state, request.expected_previous)
            bundle: Bundle = self._step("copy", lambda: copy_bundle(self._state, request.bundle))
            registry = Registry(self._state.root, self._state.product)
            previous = self._state.current()
            try:
                return self._run(request, bundle, registry)
            except BaseException as error:
                self._undo(request, bundle, previous=previous, error=error)
                if isinstance(error, PipelineError) or not isinstance(error, Exception):
                    raise
                raise ReleaseError(
                    f"the release failed: {error!r}",
                    expected="every step to succeed; what served before serves again",
                    next_step="read the log above, fix the cause, run the release again",
                ) from error

    def _run(self, request: ReleaseRequest, bundle: Bundle, registry: Registry) -> ReleaseResult:
        state = self._state
        version: str = self._step("register", lambda: registry.register(bundle, request.run_id))
        server = running_server(state)
        in_place = state.current() == bundle.hash and registry.champion() == version
        if server is None or not in_place or served_hash(server.address) != bundle.hash:
            self._step("bless", lambda: bless(state, bundle, request.limits))
            server = self._step(
                "promote",
                lambda: promote(
                    state, bundle, registry=registry, version=version, port=request.port
                ),
            )
        address = server.address
        self._step("verify", lambda: verify(address, bundle))
        # No journal: nothing was changed. A journal of this same bundle: a stopped server came back.
        promotion = state.unverified_promotion()
        before = promotion.hash if promotion else bundle.hash
        already = before == bundle.hash
        entry = ledger.Entry(
            event="already" if already else "promoted",
            hash=bundle.hash,
            version=version,
            previous=before,
            why=request.why,
            verdict=request.verdict,
        )
        self._step("record", lambda: ledger.append(state.ledger, entry))
        state.journal.unlink(missing_ok=True)
        return ReleaseResult(
            hash=bundle.hash,
            version=version,
            address=address.url,
            outcome="already serving" if already else "promoted",
        )

    def _undo(
        self, request: ReleaseRequest, bundle: Bundle, *, previous: str | None, error: BaseException
    ) -> None:
        """Restores the state before the release, and writes the failure to the ledger."""
        reason = str(error).partition("\n")[0]
        why = f"{request.why}; {type(error).__name__}: {reason}"
        if (promotion := self._state.unverified_promotion()) is not None:
            restore(self._state, promotion, why)
            return
        entry = ledger.Entry(
            event="refused", hash=bundle.hash, previous=previous, why=why, verdict=request.verdict
        )
        ledger.append(self._state.ledger, entry)


def _require_previous(state: ReleaseState, expected: str | None) -> None:
    """Raises ChampionChangedError where another bundle is in production than the expected one."""
    if expected != ANY and (current := state.current()) != expected:
        raise ChampionChangedError(
            f"{(current or 'nothing')[:12]} is in production",
            expected=f"{(expected or 'nothing')[:12]}, which the new model was compared with",
            next_step="compare with the champion of now: run `modelyard retrain` again",
        )


def bundle_product(folder: Path) -> str:
    """Verifies a bundle and returns the name of its product."""
    return open_bundle(folder).description.product


def copy_bundle(state: ReleaseState, folder: Path) -> Bundle:
    """Returns the verified copy of a bundle in `releases/<hash>`; makes and signs what is missing."""
    bundle = open_bundle(folder)
    if (product := bundle.description.product) != state.product:
        raise ReleaseError(
            f"a bundle of the product {product}",
            expected=f"one of {state.product}, whose pointer, server and ledger these are",
            next_step="release it under its own product's name",
        )
    target = state.release(bundle.hash)
    try:
        whole = open_bundle(target).hash == bundle.hash
    except (PipelineError, OSError):
        whole = False
    if not whole:
        write_copy(bundle, target)
    copy = open_bundle(target)
    sign_release(state, copy)
    return copy


def promote(
    state: ReleaseState, bundle: Bundle, *, registry: Registry, version: str, port: int
) -> ServerProcess:
    """Puts `bundle` into production and returns the server that serves it."""
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
    promotion, last = state.unverified_promotion(), ledger.read(state.ledger)[-1:]
    recorded = [e.hash for e in last if e.event in ("promoted", "already")]
    undone = promotion is not None and promotion.failed not in recorded
    if promotion is not None and undone:
        restore(state, promotion, "it was killed before it was verified")
    state.journal.unlink(missing_ok=True)
    server = running_server(state)
    for process in find_servers(state):
        if server is None or process != server.process:
            stop_process(process)
    return undone


def restore(state: ReleaseState, promotion: Promotion, why: str) -> None:
    """Puts back pointer, alias and server as before a promotion, and records the rollback."""
    registry = Registry(state.root, state.product)
    registry.set_champion(promotion.champion)
    state.point_to(promotion.hash)
    server = running_server(state)
    if server is not None and promotion.hash is not None and server.pid == promotion.server:
        if not wait_for_hash(server.address, promotion.hash, seconds=FOLLOW_SECONDS):
            stop_process(server.process)
            start_server(state, server.port)
    elif server is not None:
        # The server was not running before this promotion: it is stopped again.
        stop_process(server.process)
        state.server.unlink(missing_ok=True)
    entry = ledger.Entry(
        event="rolled_back",
        hash=promotion.hash,
        version=promotion.champion,
        previous=promotion.failed,
        why=why,
    )
    ledger.append(state.ledger, entry)
    state.journal.unlink(missing_ok=True)
