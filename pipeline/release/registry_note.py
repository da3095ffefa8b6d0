"""Makes MLflow follow the ledger: every released bundle as a version, the alias at the one in production.

`registry.json` notes what MLflow has confirmed, so that nothing need ask it: neither a release nor a
rollback nor a repair waits for MLflow, and where its database is locked, damaged or gone the registry
is behind, which `modelyard releases` shows, until a later command can tell it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from pipeline.core.errors import PipelineError
from pipeline.core.files import write_json
from pipeline.core.progress import say
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.release import ledger
from pipeline.release.durable import Write, durable
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import open_bundle


@dataclass(frozen=True, kw_only=True)
class RegistryNote:
    """The note of what MLflow has confirmed.

    Attributes:
        versions: hash of a bundle → its version.
        champion: hash of the bundle whose version has the alias; None if none has.
        behind: why MLflow could not be told the rest; empty where it was.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    champion: str | None = None
    behind: str = ""


def registry_note(state: ReleaseState) -> RegistryNote:
    """The note; one made of the ledger where an older version wrote that and no note."""
    try:
        note = state.optional(state.registry)
        if note is not None:
            return read_as(RegistryNote, note)
    except (PipelineError, MismatchError):
        # It only saves asking MLflow, which the next command will do.
        return RegistryNote(behind="registry.json cannot be read")
    versions, champion = {}, None
    for entry in reversed(list(ledger.latest(state.ledger))):
        if entry.hash is not None and entry.version is not None:
            versions[entry.hash] = entry.version
            champion = entry.hash
    return RegistryNote(versions=versions, champion=champion)


def is_behind(state: ReleaseState, note: RegistryNote) -> bool:
    """Whether MLflow's alias is at another bundle than the pointer, or a version is missing."""
    return bool(note.behind) or note.champion != state.current()


def follow_registry(state: ReleaseState) -> RegistryNote:
    """Tells MLflow what the ledger says; what it could not take is tried again by a later command.

    Call it with the lock held.
    """
    note = registry_note(state)
    try:
        note = _tell(state, note)
    # Whatever MLflow, its database or the disk raise: what serves does not depend on them.
    except Exception as error:
        reason = str(error).partition("\n")[0].removeprefix("got: ")[:200]
        note = replace(note, behind=f"{type(error).__name__}: {reason}")
        say(f"release  registry behind ({note.behind}); the next command tells MLflow again")
    try:
        with durable(Write.REGISTRY_NOTE):
            write_json(state.registry, asdict(note))
    except OSError as error:
        say(f"release  {state.registry} was not written: {error.strerror}")
    return note


def _tell(state: ReleaseState, note: RegistryNote) -> RegistryNote:
    from pipeline.release.registry import Registry

    registry, now = Registry(state.root, state.product), state.current()
    versions = dict(note.versions)
    for bundle_hash, run in ever_promoted(state).items():
        # Somebody may have deleted that of the bundle in production.
        asked = bundle_hash == now or bundle_hash not in versions
        if asked and state.release(bundle_hash).is_dir():
            bundle = open_bundle(state.release(bundle_hash))
            with durable(Write.REGISTRY):
                versions[bundle_hash] = registry.register(bundle, run)
    with durable(Write.REGISTRY):
        registry.set_champion(None if now is None else versions[now])
    return RegistryNote(versions=versions, champion=now)


def ever_promoted(state: ReleaseState) -> dict[str, str | None]:
    """The bundles that were ever in production and the MLflow run that built each, oldest first."""
    runs: dict[str | None, str | None] = {}
    found: dict[str, str | None] = {}
    for entry in reversed(list(ledger.latest(state.ledger))):
        if entry.event == "promoting":
            runs[entry.promotion] = entry.run
        elif entry.event in ("promoted", "rolled_back_by_hand") and entry.hash is not None:
            found.setdefault(entry.hash, runs.get(entry.promotion))
    if (now := state.current()) is not None:
        found.setdefault(now, None)
    return found
