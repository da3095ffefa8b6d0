"""Stages as Prefect tasks: their states, progress, table and plots in the Prefect UI.

Imports Prefect: only a build that has work to do imports this.
"""

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import (
    create_image_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from flows.console.summary import verdict_rows, verdict_title
from flows.execution.runner import Runner, StageFailedError, StageResult, cached_result
from flows.tracking.recorder import Tracking
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.paths import Paths
from pipeline.core.progress import say

PROGRESS_SECONDS = 3.0
_SHARE = re.compile(r"\s(\d{1,3})%(\s|$)")


@dataclass
class StageTasks:
    """Runs stages as tasks of the flow that is running; keeps their results in order."""

    runner: Runner
    tracking: Tracking
    results: list[StageResult]

    def run(self, name: str, *, stale: bool) -> None:
        """Runs a stage as a task where it may be stale, else shows it as cached.

        Raises:
            StageFailedError: the stage failed; the task has its message.
        """
        failure: list[StageFailedError] = []
        state_of_stage.with_options(name=name, task_run_name=name)(
            lambda: self._state(name, stale=stale, failure=failure), return_state=True
        )
        if failure:
            raise failure[0]

    def _state(self, name: str, *, stale: bool, failure: list[StageFailedError]) -> State[None]:
        self.tracking.start_stage(name)
        try:
            result = self._work(name) if stale else cached_result(self.runner.workspace, name)
        except StageFailedError as error:
            self.tracking.fail_stage(name, str(error))
            get_run_logger().error(str(error))
            failure.append(error)
            return Failed(message=str(error))
        if result.state == "cached":
            say(f"{name}  cached")
        self.results.append(result)
        self.tracking.finish_stage(name, state=result.state, seconds=result.seconds)
        state_name = "Cached" if result.state == "cached" else "Completed"
        return Completed(name=state_name, message=result.headline or None)

    def _work(self, name: str) -> StageResult:
        log, progress = get_run_logger().info, ProgressArtifact(name)
        with self.tracking.live_curve(name) as started:

            def listen(line: str) -> None:
                started()
                say(line)
                log("%s", line)
                progress.listen(line)

            result = self.runner.run(name, listen)
        progress.finish()
        return result


@task(cache_policy=NO_CACHE, persist_result=False, retries=0)
def state_of_stage(work: Callable[[], State[None]]) -> State[None]:
    """The task that every stage runs as; it ends in the state that `work` returns."""
    return work()


class ProgressArtifact:
    """A bar in the Prefect UI that follows the percentages in a stage's lines."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._artifact: UUID | None = None
        self._updated = 0.0

    def listen(self, line: str) -> None:
        """Moves the bar if the line has a percentage, every three seconds at most."""
        match = _SHARE.search(line)
        if match is None or time.monotonic() - self._updated < PROGRESS_SECONDS:
            return
        self._updated = time.monotonic()
        self._update(min(float(match.group(1)), 100.0))

    def finish(self) -> None:
        """Fills the bar, where there is one."""
        if self._artifact is not None:
            self._update(100.0)

    def _update(self, share: float) -> None:
        if self._artifact is None:
            key, text = f"progress-{self._stage}", f"How far {self._stage} is"
            made = create_progress_artifact(share, key=key, description=text)
            self._artifact = cast("UUID", made)
        else:
            update_progress_artifact(self._artifact, progress=share)


def publish_results(workspace: Path, stages: list[StageResult]) -> None:
    """Publishes stages, scorecard, verdict and plots as artifacts of the flow run."""
    paths = Paths(workspace)
    verdict = Verdict.read(paths)
    ran = [
        {"stage": s.name, "state": s.state, "seconds": round(s.seconds, 1), "headline": s.headline}
        for s in stages
    ]
    for key, rows, about in (
        ("stages", ran, "What ran and what was taken from the cache"),
        ("scorecard", scorecard_rows(paths), "Every variant, on validation"),
        ("verdict", verdict_rows(verdict), verdict_title(verdict)),
    ):
        create_table_artifact(rows, key=key, description=about)
    for stage in ("evaluate", "gate"):
        for plot in sorted(paths.output(stage).glob("plots/*.png")):
            key = re.sub(r"[^a-z0-9]+", "-", f"plot-{stage}-{plot.stem}".lower())
            # The picture itself as an address, which the UI shows without reading a file.
            picture = f"data:image/png;base64,{base64.b64encode(plot.read_bytes()).decode()}"
            create_image_artifact(picture, key=key, description=plot.stem)


def scorecard_rows(paths: Paths) -> list[dict[str, object]]:
    """One row a variant: quality on validation, size, latency."""
    return [
        {
            "variant": entry.name,
            **entry.quality.validation.figures,
            "size_mb": entry.size_mb and round(entry.size_mb, 3),
            "latency_p95_ms": entry.latency_ms and entry.latency_ms.p95,
        }
        for entry in Scorecard.read(paths).variants
    ]
