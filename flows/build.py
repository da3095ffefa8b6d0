"""Build: raw text to a blessed bundle. Stages that are stale run; the others are taken as they are.

    python -m flows.build                             # then release it
    python -m flows.build --no-deploy                 # stop after the gate (or NO_DEPLOY=1)
    python -m flows.build --profile quickstart        # small values, in a worktree; released too
    python -m flows.build --set finetune.epochs=1     # an experiment, in a worktree; not released

Where nothing is stale this ends in seconds: neither Prefect nor MLflow nor torch is imported. That is
why the Prefect flow itself stands in flows/orchestration/build_flow.py; `flows.build.build` is that flow.
"""

import argparse
import hashlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from flows.console import summary as report
from flows.console.results import BuildResult, StageResult, cached_results, gate_files
from flows.execution.locks import build_lock
from flows.execution.runner import (
    Runner,
    StageFailedError,
    logs_folder,
    stage_environment,
    stale_stages,
)
from flows.execution.telemetry import switch_off_telemetry
from flows.execution.workspace import open_workspace
from flows.planning.checks import check_before_build, check_git
from flows.planning.codelock import refresh_code_lock
from flows.planning.dag import load_dag
from flows.planning.machine import refresh_machine
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.params import load_params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.progress import say

__all__ = ["BuildResult", "StageResult", "build_title", "build_workspace", "main", "run_build"]


def __getattr__(name: str) -> Any:
    """`flows.build.build` is the Prefect flow; asking for it imports Prefect."""
    if name == "build":
        from flows.orchestration.build_flow import build

        return build
    raise AttributeError(name)


def build_workspace(workspace: Path, *, root: Path, title: str) -> BuildResult:
    """Bring every stage of a workspace up to date, and record it in MLflow. Call it inside a flow.

    Args:
        workspace: the main root, or a worktree from `open_workspace`.
        root: the main root: MLflow, logs and failures are kept there.
        title: name of the MLflow run.

    Raises:
        StageFailedError: a stage failed; earlier results stay.
        PipelineError: something that a build needs is missing, or another build is running.
    """
    check_before_build(root)
    try:
        with build_lock(workspace) as lock:
            runner = open_runner(workspace, root=root, lock=lock)
            result = _build(runner, root=root, title=title, stale=find_stale(runner, root=root))
    except StageFailedError as error:
        report.keep_failure(root, error)
        raise
    report.forget_failure(root)
    report.keep_build(root, workspace, result)
    return result


def _build(runner: Runner, *, root: Path, title: str, stale: Sequence[str]) -> BuildResult:
    from flows.execution.warm import warm_runner
    from flows.orchestration.stage_tasks import StageTasks, show_results
    from flows.tracking.recorder import tracked

    workspace = runner.workspace
    dag, params = load_dag(Paths(workspace).dag), load_params(Paths(workspace).params)
    todo = dag.with_descendants(stale)
    with tracked(
        root, workspace=workspace, experiment=params.product.name, title=title
    ) as tracking:
        with warm_runner(runner, todo) as warm:
            tasks = StageTasks(warm, tracking, [])
            for name in dag.names:
                tasks.run(name, stale=name in todo)
        if todo:
            runner.close()
    scorecard, verdict = gate_files(workspace)
    show_results(workspace, tasks.results)
    return BuildResult(
        stages=tasks.results,
        mlflow_run_id=tracking.run_id,
        scorecard=scorecard,
        verdict=dict(verdict),
        changed=any(stage.state == "ran" for stage in tasks.results),
        tracking_error=tracking.error,
    )


def open_runner(workspace: Path, *, root: Path, lock: int) -> Runner:
    """A runner for the workspace, with its parameters checked."""
    params = load_params(Paths(workspace).params)
    environment = stage_environment(params, workspace=workspace)
    return Runner(workspace, logs_folder(root, workspace), environment, lock)


def find_stale(runner: Runner, *, root: Path) -> list[str]:
    """Refresh the code lock and machine.json, then ask DVC once. Call it under the build lock.

    A new worktree has no outputs yet: those that dvc.lock records are checked out first.
    """
    workspace = runner.workspace
    refresh_code_lock(workspace)
    refresh_machine(workspace)
    if workspace != root and not Paths(workspace).artifacts.exists():
        runner.checkout()
    return stale_stages(workspace, runner.environment)


def run_build(root: Path, *, changes: Sequence[str], title: str, deploy: bool) -> BuildResult:
    """Build with changed parameters (in a worktree) or without (in the main root), release, report.

    Call it inside a flow.

    Raises:
        PipelineError: as `build_workspace`; or MLflow could not be written (the results stay then).
    """
    with workspace_for(root, changes) as workspace:
        result = build_workspace(workspace, root=root, title=title)
        report.show_build(result)
        if deploy:
            report.show_address(_release(root, workspace, result.mlflow_run_id))
        else:
            say("\nNot released: this build was asked to stop after the gate.")
    report.show_hints()
    if result.tracking_error is not None:
        raise PipelineError(
            f"MLflow could not be written: {result.tracking_error}",
            expected="a record of the build in mlflow.db; the results themselves are complete",
            next_step="free mlflow.db (is another program writing to it?) and build again",
        )
    return result


@contextmanager
def workspace_for(root: Path, changes: Sequence[str]) -> Iterator[Path]:
    """The main root, or a worktree where parameters are changed."""
    if not changes:
        yield root
        return
    with open_workspace(root, name=workspace_name(changes), overrides=changes) as workspace:
        yield workspace


def workspace_name(changes: Sequence[str]) -> str:
    """The same changes give the same name, so a second build starts from what the first left."""
    return f"build-{hashlib.sha256(chr(0).join(changes).encode()).hexdigest()[:10]}"


def build_title(changes: Sequence[str]) -> str:
    """Name of a build in Prefect and MLflow."""
    return f"build {', '.join(changes)}"[:100] if changes else "build"


def finish_without_work(root: Path, *, changes: Sequence[str], deploy: bool) -> bool:
    """If nothing is stale, report that (and release where needed); False if there is work."""
    with workspace_for(root, changes) as workspace, build_lock(workspace) as lock:
        runner = open_runner(workspace, root=root, lock=lock)
        if find_stale(runner, root=root):
            return False
        _, verdict = gate_files(workspace)
        report.show_cached(cached_results(workspace, load_dag(Paths(root).dag)), verdict)
        report.forget_failure(root)
        if deploy:
            report.show_address(_address_or_release(root, workspace))
    report.show_hints()
    return True


def _address_or_release(root: Path, workspace: Path) -> str:
    """Where the bundle is served, released first if it is not."""
    from flows.release import current_release, product_of
    from pipeline.core.files import sha256_file

    manifest = Paths(workspace).read("gate", "bundle", "manifest.json")
    current = current_release(root, product_of(workspace))
    served = current is not None and current.healthy and current.hash == sha256_file(manifest)
    if current is not None and current.address and served:
        return current.address
    return _release(root, workspace, report.last_run_id(root, workspace))


def _release(root: Path, workspace: Path, run_id: str | None) -> str:
    from flows.release import release_bundle

    bundle = Paths(workspace).read("gate", "bundle")
    release = release_bundle(root=root, bundle=bundle, mlflow_run_id=run_id)
    say(f"\nReleased version {release.version}: {release.outcome}")
    return str(release.address)


def read_profile(root: Path, name: str) -> list[str]:
    """The changes that `profiles/<name>.yaml` holds: a flat mapping of dotted keys to values.

    Raises:
        ParameterError: there is no such profile.
    """
    import json

    path = root / "profiles" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise ParameterError(
            f"no profile {name!r}",
            expected=f"one of: {', '.join(known) or '(none are there)'}",
            next_step=f"write profiles/{name}.yaml, or name one of these",
        )
    values = parse_yaml(path.read_text(encoding="utf-8")) or {}
    return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]


def _run(root: Path, *, changes: Sequence[str], deploy: bool) -> None:
    check_git(root)
    load_params(Paths(root).params)
    values = parse_yaml(Paths(root).params.read_text(encoding="utf-8"))
    parse_params(override(values, changes))
    if finish_without_work(root, changes=changes, deploy=deploy):
        return
    check_before_build(root)
    from flows.orchestration.prefect_server import prefect_server

    say("Starting Prefect …")
    with prefect_server(root):
        say("Prefect is ready; the flow begins …")
        from flows.orchestration.build_flow import run_from_command_line

        run_from_command_line(changes, deploy=deploy)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.build", description="Build and release.")
    parser.add_argument(
        "--set", action="append", default=[], metavar="section.key=value", dest="changes"
    )
    parser.add_argument("--profile", help="name of a file in profiles/")
    parser.add_argument("--no-deploy", action="store_true", help="stop after the gate")
    parser.add_argument("--deploy", action="store_true", help="release a build with --set, too")
    return parser.parse_args(arguments)


def wants_release(options: argparse.Namespace) -> bool:
    """A build with `--set` is an experiment: it is released only where that is asked for."""
    if options.no_deploy or os.environ.get("NO_DEPLOY", "") not in {"", "0"}:
        return False
    return bool(options.deploy or options.profile or not options.changes)


def main() -> None:
    """Command line: exit 0 only when everything is done."""
    options = parse_arguments()
    switch_off_telemetry()
    stop_on_sigterm()
    root = Path.cwd()
    try:
        profile = read_profile(root, options.profile) if options.profile else []
        _run(root, changes=[*profile, *options.changes], deploy=wants_release(options))
    except PipelineError as error:
        say("")
        print(f"Build failed.\n  {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. Run the same command to go on.", file=sys.stderr, flush=True)
        sys.exit(130)


def stop_on_sigterm() -> None:
    """Asked to end, this process unwinds, so that stages are ended and the worktree is removed."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
