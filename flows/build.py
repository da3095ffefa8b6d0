"""Builds from raw text up to a bundle that passed the gate; only stale stages run.

    modelyard build                             # then release it
    modelyard build --no-release                # stop after the gate (or NO_RELEASE=1)
    modelyard build --profile quickstart        # small values, in a worktree; released too
    modelyard build --product FILE              # another product, in a worktree; released too
    modelyard build finetune.epochs=1           # an experiment, in a worktree; not released

A profile or another product is a product of its own, so it is released; `key=value` is an
experiment, so it is not, unless `--release` asks for it. A build with nothing to do ends in seconds, because this module
imports neither Prefect, MLflow nor torch; the Prefect flow is flows/orchestration/build_flow.py.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from flows.check import check_before_build, check_place
from flows.console import summary
from flows.console.summary import BuildResult
from flows.execution.git import commit_tags
from flows.execution.kept_verdict import bring_verdict, forget_verdict
from flows.execution.locks import build_lock
from flows.execution.rows_to_label import bring_sheet, keep_answers, keep_rows
from flows.execution.runner import Runner, StageFailedError, cached_result, open_runner
from flows.execution.warm import saves_time, warm_runner
from flows.execution.workspace import last_build, workspace_for
from flows.fetching.before_build import bring_sources
from flows.planning.codelock import refresh_code_lock
from flows.planning.dag import load_dag
from flows.planning.machine import refresh_machine
from flows.planning.resolution import Variation, refresh_build_file, resolved
from flows.release import current_release, product_of, release_bundle
from flows.tracking.outbox import untold_folder
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.files import sha256_file
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say

_HINT = "MLflow and Prefect: `make ui` starts both and prints their addresses"


def run_build(root: Path, variation: Variation, *, release: bool) -> BuildResult:
    """Builds, in a worktree if anything varies, and releases the bundle if `release` is true.

    Call it inside a run (flows/orchestration/flow_runs.py).
    """
    bring_sources(root, resolved(root, variation))
    with workspace_for(root, variation) as workspace:
        result = build_workspace(workspace, root=root, title=build_title(variation))
        summary.show_results(result.stages, result.verdict, workspace)
        if result.label_changes:
            say(f"\nWhat the new labels changed: {result.label_changes}")
        if release:
            say(f"\nDemo: {_release(root, workspace, result.mlflow_run_id)}/")
        else:
            say("\nNot released; `--release` releases what was built.")
    say(_HINT)
    return result


def build_workspace(workspace: Path, *, root: Path, title: str) -> BuildResult:
    """Runs the stale stages of a workspace, and records and keeps the build. Call it inside a run.

    MLflow's data, logs and failure reports go to the main root `root`.

    Raises:
        StageFailedError: a stage failed, or ended the build with an answer (`is_answer`); the outputs
            of the stages before it stay.
    """
    check_before_build(root)
    try:
        with build_lock(workspace) as lock:
            if workspace == root:
                refresh_build_file(root)
            runner = open_runner(workspace, root=root, lock=lock)
            result = _build(runner, root=root, title=title, stale=find_stale(runner, root=root))
            keep_rows(workspace, root)
            keep_answers(workspace, root)
            return replace(result, label_changes=_label_changes(workspace, root))
    except StageFailedError as error:
        if error.failure.labels_needed:
            summary.forget_failure(root)
            keep_rows(workspace, root)
            raise _with_sheet(error, bring_sheet(workspace, root), root) from error
        if error.failure.cannot_be_told:
            summary.forget_failure(root)
            verdict = bring_verdict(workspace, root, error.failure.stage)
            raise _with_verdict(error, verdict, root) from error
        summary.keep_failure(root, error)
        raise


def _label_changes(workspace: Path, root: Path) -> str:
    """The page on what new labels changed, from the main root; empty where none did, or nobody has labelled."""
    if not any(Paths(workspace).annotations.glob("[!.]*")):
        return ""
    from flows.execution.label_rounds import keep_label_changes

    page = keep_label_changes(workspace, root)
    return str(page.relative_to(root)) if page else ""


def _with_sheet(error: StageFailedError, sheet: Path | None, root: Path) -> StageFailedError:
    """The error that names the sheet of rows to label as it is called in the main root."""
    if sheet is None:
        return error
    told = error.failure.next_step.replace(Paths(root).annotation_sheet.name, sheet.name)
    return StageFailedError(replace(error.failure, next_step=told), log=error.log)


def _with_verdict(error: StageFailedError, verdict: Path, root: Path) -> StageFailedError:
    """The error that names the kept verdict, as it is called from the main root."""
    told = f"{error.failure.next_step}. All figures: {verdict.relative_to(root)}"
    return StageFailedError(replace(error.failure, next_step=told), log=error.log)


def _build(runner: Runner, *, root: Path, title: str, stale: Sequence[str]) -> BuildResult:
    # Imported here: a build without work needs none of it.
    from flows.orchestration.stage_tasks import publish_results, run_stages
    from flows.tracking.recorder import current_recorder

    workspace, recorder = runner.workspace, current_recorder()
    dag, params = load_dag(Paths(workspace).dag), load_params(Paths(workspace).build)
    todo = dag.with_descendants(stale)
    with recorder.build(
        workspace,
        experiment=params.product.name,
        title=title,
        tags=commit_tags(workspace if (workspace / ".git").exists() else root),
        kept=str(summary.last_build_file(root, workspace).relative_to(root)),
    ) as record:
        with warm_runner(runner) if saves_time(todo) else nullcontext(runner) as warm:
            stages = run_stages(dag.names, stale=todo, runner=warm, record=record)
        if todo:
            runner.close()
    result = BuildResult(
        stages=stages,
        build=record.mark,
        mlflow_run_id=record.run_id(),
        verdict=Verdict.read(Paths(workspace)),
    )
    # Kept before anything is shown: what is shown may fail, and a release names the build that is kept.
    summary.keep_build(root, workspace, result)
    summary.forget_failure(root)
    forget_verdict(root)
    publish_results(recorder, workspace, stages)
    return result


def find_stale(runner: Runner, *, root: Path) -> list[str]:
    """The stages that DVC finds stale, after refreshing the code lock and machine.json.

    The caller holds the build lock. A new worktree has no outputs yet: those that dvc.lock records
    are checked out first. Without a dvc.lock nothing was ever built, and DVC need not be asked.
    """
    workspace = runner.workspace
    refresh_code_lock(workspace)
    refresh_machine(workspace)
    if not Paths(workspace).dvc_lock.exists():
        return list(load_dag(Paths(workspace).dag).names)
    if workspace != root and not Paths(workspace).artifacts.exists():
        runner.checkout()
    return runner.stale_stages()


def build_title(variation: Variation) -> str:
    """Name of a build in Prefect and MLflow."""
    varied = [variation.profile, variation.product, *variation.changes]
    return f"build {', '.join(filter(None, varied))}"[:100] if any(varied) else "build"


def finish_without_work(root: Path, variation: Variation, *, release: bool) -> bool:
    """If no stage is stale, shows the results, releases if asked, and returns True."""
    check_place(root)
    bring_sources(root, resolved(root, variation))
    with workspace_for(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace == root:
            refresh_build_file(root)
        runner = open_runner(workspace, root=root, lock=lock)
        if find_stale(runner, root=root):
            return False
        _tell_what_is_untold(root)
        stages = [cached_result(workspace, name) for name in load_dag(Paths(root).dag).names]
        summary.show_results(stages, Verdict.read(Paths(workspace)), workspace)
        summary.forget_failure(root)
        if release:
            say(f"\nDemo: {_address_or_release(root, workspace)}/")
    say(_HINT)
    return True


def _tell_what_is_untold(root: Path) -> None:
    """Tells Prefect and MLflow what an earlier run could not, which names the build to release, too."""
    if any(untold_folder(root).glob("*.jsonl")):
        from flows.orchestration.flow_runs import catch_up

        catch_up(root)


def _address_or_release(root: Path, workspace: Path) -> str:
    """The address that serves the bundle, which is released first unless it is served already."""
    manifest = Paths(workspace).read("gate", "bundle", "manifest.json")
    current = current_release(root, product_of(workspace))
    served = current is not None and current.healthy and current.hash == sha256_file(manifest)
    if current is not None and current.address and served:
        return current.address.rstrip("/")
    return _release(root, workspace, summary.last_run_id(root, workspace))


def release_last_build(root: Path, variation: Variation, *, port: int | None) -> None:
    """Releases what the last build of another product left, without building anything."""
    with last_build(root, variation) as workspace, build_lock(workspace) as lock:
        open_runner(workspace, root=root, lock=lock).checkout()
        run_id = summary.last_run_id(root, workspace)
        say(f"Demo: {_release(root, workspace, run_id, port=port)}/")


def _release(root: Path, workspace: Path, run_id: str | None, *, port: int | None = None) -> str:
    bundle = Paths(workspace).read("gate", "bundle")
    release = release_bundle(root=root, bundle=bundle, mlflow_run_id=run_id, port=port)
    say(f"\n{release.name}: {release.outcome}")
    return str(release.address).rstrip("/")
