"""What a build has to say: every stage's state, the verdict, where it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.planning.dag import Dag
from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from pipeline.core.stage import headline


@dataclass(frozen=True)
class StageResult:
    """One stage of a build.

    Attributes:
        seconds: wall time of the stage with DVC's share, 0 where nothing was done.
        headline: the figure that the stage names in its metrics.
        stage_seconds: the part of `seconds` in which the stage's own process worked.
    """

    name: str
    state: Literal["ran", "cached"]
    seconds: float
    headline: str
    stage_seconds: float = 0.0


@dataclass(frozen=True)
class BuildResult:
    """One build.

    Attributes:
        mlflow_run_id: the parent run, or None where MLflow could not be written.
        scorecard: path of the gate's scorecard in the workspace.
        verdict: the gate's verdict.
        changed: whether any stage ran.
        tracking_error: why MLflow could not be written, or None.
    """

    stages: list[StageResult]
    mlflow_run_id: str | None
    scorecard: Path
    verdict: dict[str, Any]
    changed: bool
    tracking_error: str | None = None


def read_headline(paths: Paths, stage: str) -> str:
    """The headline that a stage left, or nothing where it leaves no metrics."""
    metrics = paths.output(stage) / "metrics.json"
    return headline(read_json(metrics)) if metrics.exists() else ""


def cached_results(workspace: Path, dag: Dag) -> list[StageResult]:
    """The results of a build that had nothing to do."""
    paths = Paths(workspace)
    return [StageResult(name, "cached", 0.0, read_headline(paths, name)) for name in dag.names]


def gate_files(workspace: Path) -> tuple[Path, Mapping[str, Any]]:
    """Path of the scorecard, and the verdict.

    Raises:
        ArtifactError: the gate left none.
    """
    paths = Paths(workspace)
    verdict: dict[str, Any] = read_json(paths.read("gate", "verdict.json"))
    return paths.read("gate", "scorecard.json"), verdict
