"""Retrain: snapshot the sources, build, compare with the champion; release only what is not worse.

Started by the schedule in prefect.yaml, from the Prefect UI, or by

    modelyard retrain [--product FILE]

The build happens in a git worktree, so it never blocks a developer, and its file sources are pinned
to the snapshot. Where sources, annotations, parameters and code are those of the champion, nothing
is built. The reason for either end is written to the log, the ledger, a Prefect artifact and the
run's final state. The Prefect flow is flows/orchestration/retrain_flow.py.
"""

from dataclasses import dataclass
from pathlib import Path

from flows.build import build_workspace
from flows.execution.workspace import open_workspace
from flows.planning.resolution import Variation, resolved
from flows.planning.snapshot import Origin, changed_parts, pinned, planned_origin, take_snapshot
from flows.release import TrainRows, product_of, release_bundle
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.files import sha256_file
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.typed_json import read_as
from pipeline.monitoring.bundle_comparison import ComparedRows, asks_the_same, compare
from pipeline.monitoring.decide import ReleaseDecision, decide
from pipeline.release import ledger
from pipeline.release.state import ReleaseState

WORKSPACE = "retrain"
_COLUMNS = ["id", "text", "second", "target", "cluster", "split"]
NOTHING_CHANGED = "nothing changed, champion stays"
_ROWS_UNKNOWN = (
    "It is not known which rows the champion was trained on, so no fair comparison is "
    "possible: champion stays. Release by hand with `modelyard release` if you mean to."
)
_OTHER_QUESTION = (
    "The champion answers another kind of question, so there is nothing to compare: champion "
    "stays. Release by hand with `modelyard release` if you mean to."
)
_PARTS = {"params": "parameters", "code": "code of the stages"}
"""Parts of an origin whose name is not what a person calls them."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a retraining: whether the new model took over, why, and what is in production."""

    released: bool
    reason: str
    hash: str | None
    address: str | None = None


def run_retrain(root: Path, variation: Variation, *, reason: str) -> Outcome:
    """Snapshots, builds, compares, and releases or keeps the champion; the ledger records which.

    On any error the champion stays.
    """
    params = resolved(root, variation)
    snapshot = take_snapshot(root, params)
    say(f"retrain  snapshot {snapshot.digest[:12]} of {len(snapshot.sources)} sources")
    another = variation.product or variation.profile
    name = f"{WORKSPACE}-{params.product.name}" if another else WORKSPACE
    with open_workspace(root, name=name, params=pinned(params, snapshot)) as workspace:
        state = ReleaseState(root, product_of(workspace))
        parts = changes_since_champion(state, planned_origin(workspace, snapshot))
        if parts == []:
            return _keep(state, NOTHING_CHANGED, reason)
        build = build_workspace(workspace, root=root, title=f"retrain ({reason})")
        decision = _decide(state, workspace, verdict=build.verdict, parts=parts)
        if not decision.release:
            return _keep(state, decision.reason, reason)
        release = release_bundle(
            root=root,
            bundle=Paths(workspace).read("gate", "bundle"),
            mlflow_run_id=build.mlflow_run_id,
            why=f"retrain ({reason}): {decision.reason}",
        )
        return Outcome(
            released=True, reason=decision.reason, hash=release.hash, address=release.address
        )


def changes_since_champion(state: ReleaseState, origin: Origin) -> list[str] | None:
    """The parts in which the champion's origin differs; None where its origin is not known."""
    champion = state.current()
    known = state.optional(state.origin(champion)) if champion else None
    if known is None:
        return None
    return [_PARTS.get(part, part) for part in changed_parts(read_as(Origin, known), origin)]


def comparable_rows(records: Path, trained_on: TrainRows) -> ComparedRows:
    """The validation rows that the champion was not trained on.

    A row is left out by its id or its cluster: training on a near duplicate is training on the row.
    """
    import pyarrow.parquet as pq

    ids, clusters = set(trained_on.ids), set(trained_on.clusters)
    rows = pq.read_table(records, columns=_COLUMNS).to_pylist()
    chosen = [
        row
        for row in rows
        if row["split"] == "validation" and row["id"] not in ids and row["cluster"] not in clusters
    ]
    return ComparedRows(
        texts=[row["text"] for row in chosen],
        seconds=[row["second"] for row in chosen if row["second"] is not None],
        targets=[row["target"] for row in chosen],
    )


def _decide(
    state: ReleaseState, workspace: Path, *, verdict: Verdict, parts: list[str] | None
) -> ReleaseDecision:
    if not verdict.passed:
        missed = "; ".join(
            f"{check.name}: {check.value}, limit {check.limit} ({check.outcome})"
            for check in verdict.checks
            if check.outcome != "passed"
        )
        why = f"The gate did not pass the new model, champion stays. {missed}"
        return ReleaseDecision(False, why)
    champion, paths = state.current(), Paths(workspace)
    if champion is None:
        return ReleaseDecision(True, "There was no champion yet: first release.")
    bundle, former = paths.read("gate", "bundle"), state.release(champion)
    if sha256_file(bundle / "manifest.json") == champion:
        return ReleaseDecision(False, f"{NOTHING_CHANGED} (the build gave the same bundle)")
    if (trained_on := state.optional(state.rows(champion))) is None:
        return ReleaseDecision(False, _ROWS_UNKNOWN)
    records = paths.read("prepare", "records.parquet")
    rows = comparable_rows(records, read_as(TrainRows, trained_on))
    if not rows.texts:
        why = "The champion trained on every validation row: champion stays."
        return ReleaseDecision(False, why)
    params = load_params(paths.build)
    if not asks_the_same(former, params):
        return ReleaseDecision(False, _OTHER_QUESTION)
    comparison = compare(former, bundle, rows=rows, params=params)
    return decide(comparison, changed=parts or ["unknown"])


def _keep(state: ReleaseState, why: str, reason: str) -> Outcome:
    now, text = state.current(), f"retrain ({reason}): {why}"
    ledger.append(state.ledger, ledger.Entry(event="kept", hash=now, previous=now, why=text))
    return Outcome(released=False, reason=why, hash=now)
