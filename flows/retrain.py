"""Retrain: build a commit from the data of now, compare with the guard; release what is not worse.

Started by the schedule in prefect.yaml, from the Prefect UI, by a trigger, or by

    modelyard retrain [--product FILE] [--branch BRANCH] [--commit-to BRANCH] [--key KEY]

A commit is built in a git worktree, never what stands in an editor alone; what is below data/ and
annotations/ is taken as it lies there, and pinned by hashes. Where sources, annotations, parameters
and code are those of the champion, nothing is built. Whatever the end, the reason stands in the
record that `modelyard why` prints, in the ledger, in a Prefect artifact and in the run's final state.
The Prefect flow is flows/orchestration/retrain_flow.py.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flows.build import build_workspace
from flows.console.summary import BuildResult
from flows.execution.result_branch import check_branch, commit_results
from flows.execution.runner import StageFailedError
from flows.execution.workspace import open_workspace
from flows.fetching.before_build import bring_sources
from flows.planning.retrain_plan import Order, Plan, plan_of
from flows.planning.snapshot import Origin, changed_parts, pinned, planned_origin, take_snapshot
from flows.planning.standing import Standing, forget_standing, keep_standing, standing_of
from flows.release import TrainRows, release_bundle
from flows.tracking.runs import Answer, Run, in_one_line, once, recorded
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import ChampionChangedError, PipelineError, ReleaseError
from pipeline.core.failure import StageFailure
from pipeline.core.files import read_json, sha256_file
from pipeline.core.params import Params, load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.typed_json import read_as
from pipeline.monitoring.bundle_comparison import ComparedRows, asks_the_same, compare
from pipeline.monitoring.decide import Comparison, ReleaseDecision, decide
from pipeline.release import ledger
from pipeline.release.state import ReleaseState

if TYPE_CHECKING:
    from pipeline.release.rollout import ReleaseResult

WORKSPACE = "retrain"
NOTHING_CHANGED = "nothing changed, champion stays"
_COLUMNS = ["id", "text", "second", "target", "cluster", "split"]
_BY_HAND = "Release by hand with `modelyard release` if you mean to."
_ROWS_UNKNOWN = (
    "It is not known which rows the champion was trained on, so no fair comparison is "
    f"possible: champion stays. {_BY_HAND}"
)
_OTHER_QUESTION = (
    "The champion answers another kind of question, so there is nothing to compare: champion "
    f"stays. {_BY_HAND}"
)
_NO_ROWS = "No validation row is left that neither was trained on: champion stays."
_PARTS = {"params": "parameters", "code": "code of the stages"}
"""Parts of an origin whose name is not what a person calls them."""
_TRIES = 3
"""How often it is compared anew where somebody else releases meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a retraining: whether the new model took over, why, and what is in production.

    `results` is the commit that holds the results; None where none was asked for.
    """

    ending: Literal["released", "kept", "unchanged", "done before"] | Answer
    reason: str
    hash: str | None
    address: str | None = None
    results: str | None = None

    @property
    def released(self) -> bool:
        """Whether the new model took over."""
        return self.ending == "released"


@dataclass(frozen=True, kw_only=True)
class Work:
    """The long parts of a retraining; a test of the rest takes others."""

    open_workspace: Callable[..., AbstractContextManager[Path]] = open_workspace
    build: Callable[..., BuildResult] = build_workspace
    compare: Callable[..., list[Comparison]] = compare
    release: "Callable[..., ReleaseResult]" = release_bundle


def run_retrain(root: Path, order: Order, *, work: Work | None = None) -> Outcome:
    """Snapshots, builds, compares, and releases or keeps the champion; the record says which and why.

    On any error the champion stays, and where a build ends with an answer instead of a model.
    """
    with once(root, order.key) as done:
        if done is not None:
            why = f"The work of the key {order.key!r} was done before, by run {done.id}: {done.why}"
            return Outcome(ending="done before", reason=why, hash=done.now)
        with recorded(root, reason=order.reason, key=order.key) as run:
            if order.commit_to:
                check_branch(root, order.commit_to)
            plan = plan_of(root, order)
            return _Retraining(root, order, plan, run, work or Work()).outcome()


class _Retraining:
    """One retraining of a plan: what its steps share."""

    def __init__(self, root: Path, order: Order, plan: Plan, run: Run, work: Work) -> None:
        self._root, self._order, self._plan, self._run, self._work = root, order, plan, run, work
        self._state = ReleaseState(root, plan.params.product.name)

    def outcome(self) -> Outcome:
        """Builds where anything changed, and comes to an end."""
        plan, commit = self._plan, self._plan.commit
        self._run.note(
            product=self._state.product,
            branch=commit.branch if commit else "",
            commit=commit.hash if commit else "",
            left_out=plan.left_out,
            changes=[change.line for change in plan.changes],
            before=self._state.current(),
        )
        bring_sources(self._root, plan.params, again=True)
        snapshot = take_snapshot(self._root, plan.params)
        self._say_what_is_built(snapshot.digest)
        name = f"{WORKSPACE}-{self._state.product}" if plan.another else WORKSPACE
        with (
            self._failures_in_the_ledger(),
            self._work.open_workspace(
                self._root,
                name=name,
                params=pinned(plan.params, snapshot),
                commit=commit.hash if commit else "",
            ) as workspace,
        ):
            parts = changes_since_champion(self._state, planned_origin(workspace, snapshot))
            self._run.note(snapshot=snapshot.digest, changed=parts)
            if parts == []:
                return self._keep("unchanged", NOTHING_CHANGED)
            title = f"retrain ({self._order.reason})"
            try:
                build = self._work.build(workspace, root=self._root, title=title)
            except StageFailedError as error:
                if not error.is_answer:
                    raise
                return self._keep(*_answer_of(error.failure))
            outcome = self._compared(workspace, build, parts or ["unknown"])
            return self._with_results(outcome, workspace)

    def _say_what_is_built(self, digest: str) -> None:
        say(f"retrain  {self._plan.source}; data of snapshot {digest[:12]}")
        if left_out := self._plan.left_out:
            more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
            say(f"retrain  not committed, so not in it: {', '.join(left_out[:5])}{more}")
        if changes := self._plan.changes:
            say(f"retrain  beside the files: {', '.join(change.line for change in changes)}")

    def _compared(self, workspace: Path, build: BuildResult, parts: list[str]) -> Outcome:
        """Compares with the champion and releases, anew where somebody else released meanwhile."""
        for _ in range(_TRIES):
            champion = self._state.current()
            decision = self._decide(
                workspace, verdict=build.verdict, champion=champion, parts=parts
            )
            if not decision.release:
                same = decision.reason.startswith(NOTHING_CHANGED)
                return self._keep("unchanged" if same else "kept", decision.reason)
            try:
                return self._release(workspace, build, decision, champion=champion)
            except ChampionChangedError as error:
                say(f"retrain  {error.got}: comparing with the champion of now")
        why = f"Somebody else released {_TRIES} times while this was compared: champion stays."
        return self._keep("kept", why)

    def _decide(
        self, workspace: Path, *, verdict: Verdict, champion: str | None, parts: list[str]
    ) -> ReleaseDecision:
        if not verdict.passed:
            return _kept(f"The gate did not pass the new model, champion stays. {_missed(verdict)}")
        state, paths = self._state, Paths(workspace)
        bundle = paths.read("gate", "bundle")
        candidate = sha256_file(bundle / "manifest.json")
        self._run.note(candidate=candidate)
        if champion is None:
            return ReleaseDecision(release=True, reason="There was no champion yet: first release.")
        if candidate == champion:
            return _kept(f"{NOTHING_CHANGED} (the build gave the same bundle)")
        if not state.rows(champion).exists():
            return _kept(_ROWS_UNKNOWN)
        params = load_params(paths.build)
        if not asks_the_same(state.release(champion), params):
            return _kept(_OTHER_QUESTION)
        guard = self._guard(champion, params)
        rows = comparable_rows(paths.read("prepare", "records.parquet"), *guard.values())
        if not rows.texts:
            return _kept(_NO_ROWS)
        folders = {name: state.release(name) for name in guard}
        comparisons = self._work.compare(folders, bundle, rows=rows, params=params)
        self._run.note(comparisons=[asdict(one) for one in comparisons if math.isfinite(one.error)])
        return decide(comparisons, changed=parts)

    def _guard(self, champion: str, params: Params) -> dict[str, TrainRows]:
        """The models to compare with and the rows they trained on, the champion last."""
        state, given = self._state, self._order.accept_champion
        former = [] if given else standing_of(state, champion).guard
        there = [
            name
            for name in former
            if name != champion
            and state.rows(name).exists()
            and state.release(name).is_dir()
            and asks_the_same(state.release(name), params)
        ]
        names = [*there, champion]
        return {name: read_as(TrainRows, read_json(state.rows(name))) for name in names}

    def _release(
        self,
        workspace: Path,
        build: BuildResult,
        decision: ReleaseDecision,
        *,
        champion: str | None,
    ) -> Outcome:
        bundle = Paths(workspace).read("gate", "bundle")
        candidate = sha256_file(bundle / "manifest.json")
        standing = Standing(guard=list(decision.guard), changes=self._plan.changes)
        keep_standing(self._state, candidate, standing)
        try:
            release = self._work.release(
                root=self._root,
                bundle=bundle,
                mlflow_run_id=build.mlflow_run_id,
                why=self._told(decision.reason),
                expected_previous=champion,
            )
        except BaseException:
            if self._state.current() != candidate:
                forget_standing(self._state, candidate)
            raise
        self._run.end("released", decision.reason, now=release.hash)
        return Outcome(
            ending="released", reason=decision.reason, hash=release.hash, address=release.address
        )

    def _keep(self, ending: Literal["kept", "unchanged"] | Answer, why: str) -> Outcome:
        now = self._state.current()
        entry = ledger.Entry(event="kept", hash=now, previous=now, why=self._told(why))
        ledger.append(self._state, entry)
        self._run.end(ending, why, now=now)
        return Outcome(ending=ending, reason=why, hash=now)

    @contextmanager
    def _failures_in_the_ledger(self) -> Iterator[None]:
        """Writes an error that leaves the block to the ledger; a release has written its own."""
        try:
            yield
        except ReleaseError:
            raise
        except BaseException as error:
            now = self._state.current()
            why = self._told(f"{in_one_line(error)}: champion stays")
            entry = ledger.Entry(event="refused", hash=None, previous=now, why=why)
            ledger.append(self._state, entry)
            raise

    def _told(self, why: str) -> str:
        """The reason of an end with why it ran and what was built, for the ledger."""
        return f"retrain ({self._order.reason}; {self._plan.source}): {why}"

    def _with_results(self, outcome: Outcome, workspace: Path) -> Outcome:
        """Commits the results where that was asked for; a failure is told and undoes nothing."""
        commit, branch = self._plan.commit, self._order.commit_to
        if commit is None or not branch:
            return outcome
        message = (
            f"Retrain {self._state.product}: {outcome.ending}\n\n{self._told(outcome.reason)}\n"
        )
        try:
            results = commit_results(
                self._root,
                branch,
                commit,
                files=_result_files(workspace, self._run, at_top=not self._plan.another),
                message=message,
            )
        except (PipelineError, OSError) as error:
            why = f"{outcome.reason} Results not committed to {branch}: {in_one_line(error)}."
            self._run.note(why=why)
            return replace(outcome, reason=why)
        self._run.note(results=results)
        say(f"retrain  results: commit {results[:10]} of {branch}")
        return replace(outcome, results=results)


def changes_since_champion(state: ReleaseState, origin: Origin) -> list[str] | None:
    """The parts in which the champion's origin differs; None where its origin is not known."""
    champion = state.current()
    known = state.optional(state.origin(champion)) if champion else None
    if known is None:
        return None
    return [_PARTS.get(part, part) for part in changed_parts(read_as(Origin, known), origin)]


def comparable_rows(records: Path, *trained_on: TrainRows) -> ComparedRows:
    """The validation rows that none of the models was trained on.

    A row is left out by its id or its cluster: training on a near duplicate is training on the row.
    """
    import pyarrow.parquet as pq

    ids = {name for rows in trained_on for name in rows.ids}
    clusters = {name for rows in trained_on for name in rows.clusters}
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


def _kept(reason: str) -> ReleaseDecision:
    return ReleaseDecision(release=False, reason=reason)


def _answer_of(failure: StageFailure) -> tuple[Answer, str]:
    """The ending of a build that came to no model, for there is none to train, and its reason."""
    why = f"{failure.got}: champion stays. Next: {failure.next_step}"
    return "labels needed" if failure.labels_needed else "cannot be told", why


def _missed(verdict: Verdict) -> str:
    """The checks of the gate that were not passed."""
    return "; ".join(
        f"{check.name}: {check.value}, limit {check.limit} ({check.outcome})"
        for check in verdict.checks
        if check.outcome != "passed"
    )


def _result_files(workspace: Path, run: Run, *, at_top: bool) -> Mapping[str, str]:
    """The files to commit, by their names from the project's folder."""
    folder = f"{WORKSPACE}/{run.record.product}/"
    metrics = {
        path.parent.name: read_json(path)
        for path in sorted(Paths(workspace).artifacts.glob("*/metrics.json"))
    }
    files = {
        f"{folder}decision.json": _json(asdict(run.record)),
        f"{folder}metrics.json": _json(metrics),
    }
    if (lock := Paths(workspace).dvc_lock).exists():
        name = lock.name if at_top else f"{folder}{lock.name}"
        files[name] = lock.read_text(encoding="utf-8")
    return files


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)}\n"
