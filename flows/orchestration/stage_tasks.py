"""Runs the stages of a build in order; each is shown as a task of the run, with its lines and its bar.

An error that is not the stage's own ends the build at that stage, too: no later stage starts.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from flows.console.summary import verdict_rows, verdict_title
from flows.execution.runner import Runner, StageResult, cached_result
from flows.tracking.recorder import BuildRecord, Recorder
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.disk import disk_full
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.progress import say


def run_stages(
    names: Sequence[str], *, stale: Collection[str], runner: Runner, record: BuildRecord
) -> list[StageResult]:
    """Brings the stages up to date, those of `stale` by DVC, and returns their results.

    Raises:
        StageFailedError: a stage failed.
    """
    return [_run(name, stale=name in stale, runner=runner, record=record) for name in names]


def _run(name: str, *, stale: bool, runner: Runner, record: BuildRecord) -> StageResult:
    record.start_stage(name)
    try:
        result = _work(name, runner, record) if stale else cached_result(runner.workspace, name)
        if result.state == "cached":
            say(f"{name}  cached")
        ran = result.state == "ran"
        record.finish_stage(name, ran=ran, headline=result.headline, seconds=result.seconds)
    except OSError as error:
        cause = not_of_the_stage(name, error)
        record.fail_stage(name, cause)
        raise cause from error
    except BaseException as error:
        record.fail_stage(name, error)
        raise
    return result


def not_of_the_stage(name: str, error: OSError) -> PipelineError:
    """The error for a stage around which a file could not be read or written: its log, for example."""
    return disk_full(error) or PipelineError(
        f"{name} was stopped, for a file of the build could not be used: {error}",
        expected="a workspace that can be read and written",
        next_step="mend that, then run the same command again: finished stages are cached",
    )


def _work(name: str, runner: Runner, record: BuildRecord) -> StageResult:
    with record.live_curve(name) as started:

        def listen(line: str) -> None:
            started()
            say(line)
            record.line(name, line)

        return runner.run(name, listen)


def publish_results(recorder: Recorder, workspace: Path, stages: list[StageResult]) -> None:
    """Shows stages, scorecard and verdict on the run's page."""
    paths = Paths(workspace)
    verdict = Verdict.read(paths)
    ran = [
        {"stage": s.name, "state": s.state, "seconds": round(s.seconds, 1), "headline": s.headline}
        for s in stages
    ]
    recorder.table("stages", ran, about="What ran and what was taken from the cache")
    recorder.table("scorecard", scorecard_rows(paths), about="Every variant, on validation")
    recorder.table("verdict", verdict_rows(verdict), about=verdict_title(verdict))


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
