"""Release a bundle: copy, try, promote, verify, register; on a failure, undo all of it.

    modelyard release [FOLDER]                   # what the gate passed: artifacts/gate/bundle

The transaction itself is pipeline/release/rollout.py. Inside a running Prefect flow its steps are
tasks of that flow; elsewhere they are plain calls. Nothing heavy is imported until it is needed:
`modelyard build` calls `current_release` even where it has nothing to do. The way back is
flows/rollback.py; what was in production when, flows/releases.py.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flows.execution.network import requested_port
from flows.execution.workspace import kept_builds
from flows.planning.resolution import Variation, resolved
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import ReleaseError
from pipeline.core.files import sha256_file, write_json
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.release import ledger
from pipeline.release.durable import Write, durable
from pipeline.release.requests import served_hash
from pipeline.release.server_process import is_outdated, running_server
from pipeline.release.state import ReleaseState

if TYPE_CHECKING:
    from pipeline.release.blessing import Limits
    from pipeline.release.rollout import ReleaseResult

Result = TypeVar("Result")
DEFAULT_BUNDLE = "artifacts/gate/bundle"
# The requirement is the model's own time at 32 tokens. HTTP adds tokenizer, server and socket, and
# the machine may be busy: this check is to find what is grossly wrong.
_HTTP_ALLOWANCE_MS = 25.0


@dataclass(frozen=True)
class CurrentRelease:
    """The release in production; `healthy` where a server answers and serves this very bundle."""

    hash: str
    address: str | None
    healthy: bool


def product_of(workspace: Path) -> str:
    """Name of the product that was last built in a workspace."""
    return load_params(Paths(workspace).build).product.name


def product_named(root: Path, given: str) -> str:
    """Name of the product that is meant by a product file or by its name; of "", the user's."""
    if given and not (root / given).is_file():
        return given
    return resolved(root, Variation(product=given)).product.name


def current_release(root: Path, product: str) -> CurrentRelease | None:
    """The release in production; None before the first one. Quick: asks the server once."""
    state = ReleaseState(root, product)
    if (bundle_hash := state.current()) is None:
        return None
    if (server := running_server(state)) is None:
        return CurrentRelease(bundle_hash, None, healthy=False)
    whole = ledger.unfinished(state.ledger) is None and not state.journal.exists()
    healthy = whole and served_hash(server.address, timeout=1.0) == bundle_hash
    return CurrentRelease(bundle_hash, server.address.url, healthy=healthy)


def release_bundle(
    *,
    root: Path,
    bundle: Path,
    mlflow_run_id: str | None,
    why: str = "it was built and the gate passed it",
    port: int | None = None,
    expected_previous: str | None = "any",
) -> "ReleaseResult":
    """Releases the bundle in a folder.

    Args:
        bundle: its folder; the verdict beside a bundle in a gate's folder must be passed.
        port: where the server should listen if it does not run yet, or the next free one; None
            takes `MODELYARD_PORT`, or 8000.
        expected_previous: hash of the only bundle that it may replace; see `ReleaseRequest`.

    Raises:
        ChampionChangedError: another one is in production; nothing was done.
        ReleaseError: it was not released; what was served before is served.
        ArtifactError: the bundle is damaged.
    """
    from pipeline.release.rollout import ReleaseRequest, Rollout, bundle_product

    root = root.resolve()
    state = ReleaseState(root, bundle_product(bundle))
    request = ReleaseRequest(
        bundle=bundle,
        why=why,
        run_id=mlflow_run_id,
        verdict=passed_verdict(state, bundle),
        limits=release_limits(root, bundle, state.product),
        expected_previous=expected_previous,
        port=port or requested_port(),
        keep=partial(keep_origin, state, bundle),
    )
    release = Rollout(root, state.product, _step_runner()).release(request)
    if (server := running_server(state)) is not None and is_outdated(server):
        say("The server runs older code than this folder's; `make serve` restarts it.")
    return release


def passed_verdict(state: ReleaseState, bundle: Path) -> ledger.VerdictSummary | None:
    """Summary of the gate's verdict; None for a bundle that no gate wrote."""
    if bundle.parent.name != "gate":
        return None
    verdict = Verdict.load(bundle.parent / "verdict.json")
    outcomes = Counter(check.outcome for check in verdict.checks)
    summary: ledger.VerdictSummary = {
        "passed": verdict.passed,
        "released": verdict.released,
        **{str(outcome): count for outcome, count in outcomes.items()},
    }
    if not verdict.passed:
        why, before = "the gate did not pass it", state.current()
        entry = ledger.Entry(event="refused", hash=None, previous=before, why=why, verdict=summary)
        ledger.append(state, entry)
        raise ReleaseError(
            f"a bundle whose verdict is not passed ({dict(outcomes)})",
            expected="a bundle that met every requirement at the gate",
            next_step="read artifacts/gate/verdict.json; mend the model or the requirements",
        )
    return summary


def _workspace_of(bundle: Path) -> Path | None:
    """The workspace whose gate wrote the bundle; None for a bundle from elsewhere."""
    return bundle.resolve().parents[2] if bundle.parent.name == "gate" else None


def release_limits(root: Path, bundle: Path, product: str) -> "Limits":
    """The limits of the product's newest build here; none where it was not built here."""
    from pipeline.release.blessing import Limits

    for folder in (_workspace_of(bundle) or root, *kept_builds(root)):
        if Paths(folder).build.exists():
            built = load_params(Paths(folder).build).product
            if built.name == product:
                needs = built.requirements
                return Limits(needs.latency_p95_ms + _HTTP_ALLOWANCE_MS, needs.memory_mb)
    return Limits()


def _step_runner() -> Callable[[str, Callable[[], Any]], Any]:
    """Runs a step as a Prefect task where a flow runs, else as a plain call."""
    from pipeline.release.rollout import run_directly

    if "prefect" not in sys.modules:
        return run_directly
    from prefect import task
    from prefect.cache_policies import NO_CACHE
    from prefect.context import FlowRunContext

    if FlowRunContext.get() is None:
        return run_directly

    def run_as_task(name: str, work: Callable[[], Result]) -> Result:
        # Side effects: neither cached nor retried. A failure undoes the release instead.
        options = task(name=name, cache_policy=NO_CACHE, retries=0, persist_result=False)
        return options(work)()

    return run_as_task


def keep_origin(state: ReleaseState, bundle: Path) -> None:
    """Saves origin and training rows of a build's bundle beside its copy, for a later retraining."""
    workspace = _workspace_of(bundle)
    records = Paths(workspace or bundle).output("prepare") / "records.parquet"
    if workspace is None or not records.exists():
        return
    from flows.planning.snapshot import built_origin

    bundle_hash = sha256_file(bundle / "manifest.json")
    with durable(Write.ROWS):
        write_json(state.rows(bundle_hash), asdict(read_train_rows(records)))
    with durable(Write.ORIGIN):
        write_json(state.origin(bundle_hash), asdict(built_origin(workspace)))


@dataclass(frozen=True)
class TrainRows:
    """The rows that a model was trained on, by id, and their clusters of near duplicates."""

    ids: list[str]
    clusters: list[str]


def read_train_rows(records: Path) -> TrainRows:
    """The training rows of a build's records."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(records, columns=["id", "cluster", "split"])
    train = table.filter(pc.equal(table["split"], "train"))
    return TrainRows(
        ids=sorted(train["id"].to_pylist()), clusters=sorted(set(train["cluster"].to_pylist()))
    )
