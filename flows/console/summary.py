"""What a build prints at its end, and the few facts it keeps for the next one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.console.results import BuildResult, StageResult
from flows.console.table import stage_table, verdict_lines
from flows.execution.runner import StageFailedError
from flows.execution.workspace import keep_results, kept_results
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.progress import say


def show_build(result: BuildResult) -> None:
    """The final table and the verdict."""
    show_cached(result.stages, result.verdict)


def show_cached(stages: Sequence[StageResult], verdict: Mapping[str, Any]) -> None:
    """The table of stages and the verdict."""
    say(f"\n{stage_table(stages)}\n\n{verdict_lines(dict(verdict))}")


def show_address(address: str) -> None:
    """Where to try the model."""
    say(f"\nDemo: {address.rstrip('/')}/")


def show_hints() -> None:
    """How to look closer."""
    say("MLflow and Prefect: `make ui` starts both and prints their addresses")


def keep_failure(root: Path, error: StageFailedError) -> None:
    """Write .modelyard/last_failure.json."""
    write_json(
        failure_file(root),
        {
            "stage": error.stage,
            "got": error.got,
            "expected": error.expected,
            "next_step": error.next_step,
            "log": str(error.log),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def forget_failure(root: Path) -> None:
    """A build that ends well takes the last failure away."""
    failure_file(root).unlink(missing_ok=True)


def failure_file(root: Path) -> Path:
    """Where the last failure is told."""
    return Paths(root).state / "last_failure.json"


def keep_build(root: Path, workspace: Path, result: BuildResult) -> None:
    """Keep a worktree's results, and the MLflow run of the newest build that changed something: its bundle is released as that run's."""
    if workspace != root:
        keep_results(root, workspace)
    if result.mlflow_run_id is not None and (result.changed or not last_run_id(root, workspace)):
        write_json(_last_build(root, workspace), {"mlflow_run_id": result.mlflow_run_id})


def last_run_id(root: Path, workspace: Path) -> str | None:
    """MLflow run that built what lies in the workspace, where it is known."""
    path = _last_build(root, workspace)
    return str(read_json(path)["mlflow_run_id"]) if path.exists() else None


def _last_build(root: Path, workspace: Path) -> Path:
    if workspace == root:
        return Paths(root).state / "last_build.json"
    return kept_results(root, workspace.name) / "last_build.json"
