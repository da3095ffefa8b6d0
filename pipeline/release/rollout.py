"""A release as a transaction: copy, bless, promote, verify, record. A failure undoes all of it.

    copy      the bundle goes to `releases/<hash>` of its product's folder; only that copy is served
    bless     a candidate server on a port of its own answers the golden requests within the limits
    promote   the pointer file moves; the long-lived server follows, or is started
    verify    real requests to the address that people use
    record    the ledger
    register  MLflow gets a version with the hash, and the alias `champion`

The pointer decides what is in production, and the ledger tells it; MLflow comes last and follows
(registry_note.py): it may be locked, damaged or gone. Before the pointer moves, the ledger gets the
line `promoting`; until a line says how that ended, the promotion is undone: after an error at once, and
after a kill by the next release, rollback or `modelyard serve` (`repair`).
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.disk import disk_full, no_room
from pipeline.core.errors import ChampionChangedError, PipelineError, ReleaseError
from pipeline.core.progress import say
from pipeline.release import ledger
from pipeline.release.blessing import Limits, bless, verify
from pipeline.release.durable import Write, durable
from pipeline.release.ledger import Entry
from pipeline.release.production import Served, follow, last_port, note_start, serve_current
from pipeline.release.registry_note import RegistryNote, follow_registry
from pipeline.release.repair import new_promotion, repair, restore
from pipeline.release.requests import readiness
from pipeline.release.server_process import (
    DEFAULT_PORT,
    ServerProcess,
    running_server,
    start_server,
)
from pipeline.release.signing import sign_release
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import Bundle, open_bundle, write_copy

Result = TypeVar("Result")
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
        keep: writes what is kept beside the copy, for later retrainings.
    """

    bundle: Path
    why: str
    run_id: str | None = None
    verdict: ledger.VerdictSummary | None = None
    limits: Limits = field(default_factory=Limits)
    expected_previous: str | None = ANY
    port: int = DEFAULT_PORT
    keep: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class ReleaseResult:
    """The bundle in production now, the URL that serves it, and how it came there.

    Attributes:
        version: of the registered model; None while MLflow does not know it.
        outcome: `promoted`, `rolled back by hand` or `already serving`.
    """

    hash: str
    version: str | None = None
    address: str
    outcome: str

    @property
    def name(self) -> str:
        """The model as people know it: its version, and the beginning of its hash."""
        version = f"Version {self.version}" if self.version else "Bundle"
        return f"{version} ({self.hash[:12]})"


@dataclass(frozen=True, kw_only=True)
class _Goal:
    """How a promotion that succeeds is written down: its event, and what stands beside it."""

    end: ledger.Event
    why: str
    port: int
    verdict: ledger.VerdictSummary | None = None
    run: str | None = None


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
            ChampionChangedError: it may not replace what is in production now; nothing was changed.
            ReleaseError: it could not be released; what served before serves again.
            DiskFullError: the same, for lack of space.
            ArtifactError: the bundle is damaged.
        """
        goal = _Goal(
            end="promoted",
            why=request.why,
            port=request.port,
            verdict=request.verdict,
            run=request.run_id,
        )
        with self._state.lock():
            repair(self._state)
            source = open_own(self._state, request.bundle)
            result = self._guarded(source.hash, goal, lambda: self._release(source, request, goal))
            note = self._step("register", lambda: follow_registry(self._state))
        return replace(result, version=note.versions.get(result.hash))

    def roll_back(self, beginning: str, *, why: str, port: int | None = None) -> ReleaseResult:
        """Brings a former bundle back: the pointer moves, and golden requests are answered.

        It asks neither MLflow, which `register` tells later, nor for today's limits: it served before.

        Args:
            beginning: of the bundle's hash; empty for the one that served before the current one.
            port: where a server should listen, if none runs; None: where the last one did.

        Raises:
            ReleaseError: there is no such bundle, or it no longer serves; what served before does.
        """
        with self._state.lock():
            repair(self._state)
            bundle = former_bundle(self._state, beginning)
            port = port or last_port(self._state)
            goal = _Goal(end="rolled_back_by_hand", why=why, port=port)
            return self._guarded(bundle.hash, goal, lambda: self._serve(bundle, goal))

    def register(self) -> RegistryNote:
        """Tells MLflow what the ledger says, as far as that can be done now."""
        with self._state.lock():
            note: RegistryNote = self._step("register", lambda: follow_registry(self._state))
        return note

    def _release(self, source: Bundle, request: ReleaseRequest, goal: _Goal) -> ReleaseResult:
        _require_previous(self._state, request.expected_previous)
        bundle: Bundle = self._step("copy", lambda: copy_bundle(self._state, source))
        request.keep()
        if self._state.current() != bundle.hash:
            self._step("bless", lambda: bless(self._state, bundle, request.limits))
        return self._serve(bundle, goal)

    def _serve(self, bundle: Bundle, goal: _Goal) -> ReleaseResult:
        """Makes a bundle the one in production, or confirms that it is."""
        if already := self._state.current() == bundle.hash:
            server = self._confirm(bundle, goal)
        else:
            server = self._promote(bundle, goal)
        outcome = "already serving" if already else goal.end.replace("_", " ")
        return ReleaseResult(hash=bundle.hash, address=server.address.url, outcome=outcome)

    def _confirm(self, bundle: Bundle, goal: _Goal) -> ServerProcess:
        """The server of the bundle that is in production already; started if none ran."""
        served: Served = self._step("serve", lambda: serve_current(self._state, goal.port))
        if served.started:
            note_start(self._state, served, goal.why)
        self._step("verify", lambda: verify(served.server.address, bundle))
        entry = _entry_of("already", bundle, goal, previous=bundle.hash)
        self._step("record", lambda: ledger.append(self._state, entry))
        return served.server

    def _promote(self, bundle: Bundle, goal: _Goal) -> ServerProcess:
        """The server, which serves the bundle from now on."""
        previous = self._state.current()
        begun = Entry(
            event="promoting",
            hash=bundle.hash,
            previous=previous,
            promotion=new_promotion(),
            run=goal.run,
            why=goal.why,
        )
        served: Served = self._step("promote", lambda: promote(self._state, begun, goal.port))
        self._step("verify", lambda: verify(served.server.address, bundle))
        end = _entry_of(goal.end, bundle, goal, previous=previous)
        end = replace(end, promotion=begun.promotion, since=served.since)
        self._step("record", lambda: ledger.append(self._state, end))
        return served.server

    def _guarded(
        self, bundle_hash: str, goal: _Goal, work: Callable[[], ReleaseResult]
    ) -> ReleaseResult:
        """Runs `work`; on any error puts everything back, records it, and raises a PipelineError."""
        try:
            return work()
        except BaseException as error:
            told = _as_pipeline_error(error, self._state)
            try:
                self._undo(bundle_hash, goal, told)
            # The first error is the one to tell; the next command undoes the rest.
            except Exception as second:
                say(f"release  not all of it is undone or recorded yet: {second}")
            if told is error:
                raise
            raise told from error

    def _undo(self, bundle_hash: str, goal: _Goal, error: BaseException) -> None:
        reason = str(error).partition("\n")[0].removeprefix("got: ")
        why = f"{goal.why}; {type(error).__name__}: {reason}"
        ledger.finish(self._state)
        if (promotion := ledger.unfinished(self._state.ledger)) is not None:
            restore(self._state, promotion, why)
            return
        now = self._state.current()
        # What is in production was not refused, whatever was found when it was to be released again.
        event: ledger.Event = "kept" if now == bundle_hash else "refused"
        entry = Entry(event=event, hash=bundle_hash, previous=now, why=why, verdict=goal.verdict)
        ledger.append(self._state, entry)


def _entry_of(event: ledger.Event, bundle: Bundle, goal: _Goal, *, previous: str | None) -> Entry:
    return Entry(
        event=event, hash=bundle.hash, previous=previous, why=goal.why, verdict=goal.verdict
    )


def bundle_product(folder: Path) -> str:
    """Verifies a bundle and returns the name of its product."""
    return open_bundle(folder).description.product


def open_own(state: ReleaseState, folder: Path) -> Bundle:
    """The verified bundle in a folder, which must be one of the state's product."""
    bundle = open_bundle(folder)
    if (product := bundle.description.product) != state.product:
        raise ReleaseError(
            f"a bundle of the product {product}",
            expected=f"one of {state.product}, whose pointer, server and ledger these are",
            next_step="release it under its own product's name",
        )
    return bundle


def former_bundle(state: ReleaseState, beginning: str) -> Bundle:
    """The one copy whose hash begins so; of "", that of the bundle that served before."""
    known = sorted(folder.name for folder in state.releases.glob("*/"))
    found = [name for name in known if name.startswith(beginning)]
    if not beginning:
        before = ledger.before(state.ledger, state.current())
        found = [before] if before in known else []
    if len(found) != 1:
        which = f"whose hash begins with {beginning!r}" if beginning else "before the current one"
        raise ReleaseError(
            f"{len(found)} releases of {state.product} {which}",
            expected=f"one of: {', '.join(name[:12] for name in known) or '(none is kept)'}",
            next_step="name one: `modelyard rollback --to HASH`",
        )
    return open_bundle(state.release(found[0]))


def copy_bundle(state: ReleaseState, source: Bundle) -> Bundle:
    """The verified copy of a bundle in `releases/<hash>`; what is missing is made and signed."""
    target = state.release(source.hash)
    try:
        copy = open_bundle(target)
    except (PipelineError, OSError):
        copy = _new_copy(state, source, target)
    sign_release(state, copy)
    return copy


def _new_copy(state: ReleaseState, source: Bundle, target: Path) -> Bundle:
    needed = sum(len(file.content) for file in source.files.values())
    state.folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(state.folder).free < needed:
        raise no_room(target)
    with durable(Write.COPY):
        write_copy(source, target)
    return open_bundle(target)


def promote(state: ReleaseState, begun: Entry, port: int) -> Served:
    """Moves the pointer and returns the server once it serves the bundle.

    Args:
        begun: the line `promoting` that says so in the ledger.
    """
    assert begun.hash is not None  # noqa: S101 - nothing is promoted to nothing
    server = running_server(state)
    ready = None if server is None else readiness(server.address)
    ledger.append(state, begun)
    state.point_to(begun.hash)
    refused = None if ready is None else ready.last_error
    return follow(state, server or start_server(state, port), begun.hash, refused=refused)


def _require_previous(state: ReleaseState, expected: str | None) -> None:
    """Raises ChampionChangedError where another bundle is in production than the expected one."""
    if expected != ANY and (current := state.current()) != expected:
        raise ChampionChangedError(
            f"{(current or 'nothing')[:12]} is in production",
            expected=f"{(expected or 'nothing')[:12]}, which the new model was compared with",
            next_step="compare with the champion of now: run `modelyard retrain` again",
        )


def _as_pipeline_error(error: BaseException, state: ReleaseState) -> BaseException:
    """An error that says what to do, for one that does not."""
    if isinstance(error, Exception) and (full := disk_full(error, state.folder)) is not None:
        return full
    if isinstance(error, PipelineError) or not isinstance(error, Exception):
        return error
    return ReleaseError(
        f"the release failed: {error!r}",
        expected="every step to succeed; what served before serves again",
        next_step="read the log above, fix the cause, run the release again",
    )
