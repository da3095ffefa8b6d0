"""A build's results: types, tables at its end, and the facts kept for the next build."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.console.table import figure, render
from flows.execution.runner import StageFailedError, StageResult
from flows.execution.workspace import keep_results, kept_results
from flows.tracking.last_build import LastBuild, bundle_hash, read_last_build, write_last_build
from pipeline.core.artifacts.verdicts import Check, Verdict
from pipeline.core.disk import DiskFullError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.variants import BASELINES

_MARKS = {"passed": "ok", "failed": "MISSED", "inconclusive": "inconclusive"}
_VERDICT = ("check", "value", "limit", "unit", "outcome")


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """One build.

    Attributes:
        mlflow_run_id: None where MLflow has not been told yet.
        build: its own name.
        label_changes: the page on what new labels changed, from the main root; empty where none did.
    """

    stages: list[StageResult]
    mlflow_run_id: str | None
    verdict: Verdict
    build: str = ""
    label_changes: str = ""


def show_results(stages: Sequence[StageResult], verdict: Verdict, workspace: Path) -> None:
    """Prints the table of stages, the verdict, and whether a baseline does as well."""
    say(f"\n{stage_table(stages)}\n\n{verdict_lines(verdict)}")
    if note := baseline_note(workspace, verdict.released):
        say(f"\n{note}")


def baseline_note(workspace: Path, released: str) -> str:
    """A sentence where a baseline is as good on validation as what may be released; else empty."""
    file = Paths(workspace).output("evaluate") / "metrics.json"
    if not file.exists():
        return ""
    figures = read_json(file)
    quality, metric = figures["validation"], figures["quality_metric"]
    best = max(filter(quality.__contains__, BASELINES), key=quality.__getitem__)
    if released not in quality or quality[best] < quality[released]:
        return ""
    return (
        f"NOTE  {best} has {metric} {quality[best]:.3f} on the validation rows and {released}"
        f" {quality[released]:.3f}: on these texts it is not shown that a language model knows more. More"
        " labelled rows would tell."
    )


def keep_failure(root: Path, error: StageFailedError) -> None:
    """Writes .modelyard/last_failure.json, unless the disk is full."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with suppress(OSError, DiskFullError):
        write_json(
            Paths(root).state / "last_failure.json",
            {**asdict(error.failure), "log": str(error.log), "time": now},
        )


def forget_failure(root: Path) -> None:
    """Removes .modelyard/last_failure.json: the build ended well."""
    (Paths(root).state / "last_failure.json").unlink(missing_ok=True)


def keep_build(root: Path, workspace: Path, result: BuildResult) -> None:
    """Saves a worktree build's small results, and which build made the bundle.

    That stays where nothing changed: a release is attributed to the build that made its bundle.
    """
    if workspace != root:
        keep_results(root, workspace)
    path, bundle = last_build_file(root, workspace), bundle_hash(workspace)
    noted = read_last_build(path)
    changed = any(stage.state == "ran" for stage in result.stages)
    if changed or noted is None or noted.bundle not in ("", bundle):
        kept = LastBuild(mlflow_run_id=result.mlflow_run_id, build=result.build, bundle=bundle)
        write_last_build(path, kept)


def last_run_id(root: Path, workspace: Path) -> str | None:
    """Id of the MLflow run that built the workspace's bundle; None where it is not known."""
    noted = read_last_build(last_build_file(root, workspace))
    if noted is None or noted.bundle not in ("", bundle_hash(workspace)):
        return None
    return noted.mlflow_run_id


def last_build_file(root: Path, workspace: Path) -> Path:
    """The file that names the newest build of a workspace."""
    if workspace == root:
        return Paths(root).state / "last_build.json"
    return kept_results(root, workspace.name) / "last_build.json"


def stage_table(stages: Sequence[StageResult]) -> str:
    """One line a stage: ran or cached, seconds, headline figure."""
    rows = [
        (s.name, s.state, f"{s.seconds:,.1f}" if s.state == "ran" else "-", s.headline)
        for s in stages
    ]
    ran = [stage.seconds for stage in stages if stage.state == "ran"]
    foot = ("total", f"{len(ran)} ran", f"{sum(ran):,.1f}", f"{len(stages) - len(ran)} cached")
    return render(("stage", "state", "seconds", "headline"), [*rows, foot], right=(2,), foot=True)


def verdict_lines(verdict: Verdict) -> str:
    """The gate's verdict, one line a check."""
    rows = [_check_row(check) for check in verdict.checks]
    return f"{verdict_title(verdict)}\n{render(_VERDICT, rows, right=(1, 2))}"


def verdict_title(verdict: Verdict) -> str:
    """One line: passed or not, and the variant that may be released."""
    return f"Verdict: {'passed' if verdict.passed else 'NOT PASSED'}, {verdict.released}"


def verdict_rows(verdict: Verdict) -> list[dict[str, str]]:
    """One row a check."""
    return [dict(zip(_VERDICT, _check_row(check), strict=True)) for check in verdict.checks]


def _check_row(check: Check) -> tuple[str, str, str, str, str]:
    ends = check.interval
    interval = f" [{figure(ends[0])}, {figure(ends[1])}]" if ends else ""
    return (
        check.name,
        f"{figure(check.value)}{interval}",
        figure(check.limit),
        check.unit,
        _MARKS[check.outcome],
    )
