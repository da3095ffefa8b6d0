"""Tells MLflow a run: a parent run for each build and a child for each stage.

Its data are `mlflow.db`, or a team's database, and `mlartifacts` in the main root. Whatever is told twice is there once: runs
are found again by a tag, and points of a curve are equal to themselves.
"""

import base64
import logging
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.tracking.facts import (
    BuildEnded,
    BuildStarted,
    Curve,
    Document,
    Fact,
    Picture,
    Point,
    RunStarted,
    StageEnded,
    StageStarted,
    State,
)
from flows.tracking.outbox import Told
from flows.tracking.teller import RefusedError
from pipeline.core.paths import Paths
from pipeline.core.process_identity import Presence, ProcessIdentity, presence

RUN_TAG = "modelyard.run"
PROCESS_TAGS = {name: f"modelyard.{name}" for name in ("pid", "started", "boot", "host")}
_MANY, _FEW = 900, 90  # MLflow takes at most 1000 metrics, 100 parameters or tags a call
_VALUE_LENGTH = 500
_STATUS: Mapping[State, str] = {
    "completed": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "crashed": "KILLED",
}
_NEVER = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


class MlflowStore:
    """A destination of facts: the project's MLflow database."""

    name = "MLflow"

    def __init__(self, root: Path) -> None:
        from mlflow import MlflowClient

        from pipeline.release.mlflow_database import ensure_database

        for name in ("mlflow", "alembic"):  # their failures come as exceptions, too
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._root = root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's and alembic's, on a new database
            ensure_database(root)
            self._client = MlflowClient(Paths(root).tracking_uri)

    def tell(self, facts: Sequence[Fact], told: Told) -> None:
        """Writes facts of one kind."""
        from mlflow.exceptions import MlflowException

        try:
            for fact in facts:
                self._tell_one(fact, told.ids)
        except KeyError as error:
            raise RefusedError(f"MLflow does not know {error}") from error
        except MlflowException as error:
            if error.error_code in _NEVER:
                raise RefusedError(str(error)) from error
            raise

    def attend(self, told: Told) -> None:
        """Nothing comes back from MLflow."""

    def close(self) -> None:
        """Nothing is open."""

    def _tell_one(self, fact: Fact, ids: dict[str, str]) -> None:
        match fact:
            case RunStarted():
                # Of the run, for the builds that follow; also when the rest is told by another process.
                ids |= {RUN_TAG: fact.run, **_process_tags(fact.process)}
            case BuildStarted():
                self._start_build(fact, ids)
            case StageStarted():
                parent = {"mlflow.parentRunId": ids[str(fact.build)], "stage": fact.stage}
                key = f"{fact.build}/{fact.stage}"
                ids[key] = self._start(fact, fact.stage, parent, key=key, ids=ids)
            case Curve():
                self._log_points(_run_of(fact, ids), fact, fact.points)
            case Picture():
                with tempfile.TemporaryDirectory(prefix="modelyard-") as folder:
                    picture = Path(folder) / f"{fact.name}.png"
                    picture.write_bytes(base64.b64decode(fact.data))
                    self._client.log_artifact(_run_of(fact, ids), str(picture), "plots")
            case StageEnded():
                self._end_stage(fact, _run_of(fact, ids))
            case Document():
                self._client.log_text(ids[str(fact.build)], fact.text, fact.name)
            case BuildEnded():
                points = [Point(name=n, value=v, step=0) for n, v in fact.figures.items()]
                self._log_points(ids[str(fact.build)], fact, points)
                self._end(ids[str(fact.build)], fact)
            case _:
                pass  # of Prefect alone

    def _start_build(self, fact: BuildStarted, ids: dict[str, str]) -> None:
        from pipeline.release.registry import experiment_id

        experiment = experiment_id(self._client, self._root, fact.experiment)
        ids[f"{fact.build}/experiment"] = experiment
        self._close_dead_runs(experiment)
        key = str(fact.build)
        ids[key] = self._start(fact, fact.title, fact.tags, key=key, ids=ids)

    def _close_dead_runs(self, experiment: str) -> None:
        """Closes runs whose process was one of this host and has ended; others' are not ours to close."""
        running = self._client.search_runs(
            [experiment], "attributes.status = 'RUNNING'", max_results=1000
        )
        for run in running:
            noted = _process_of(run.data.tags)
            if noted is not None and presence(noted) is Presence.ENDED:
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _start(
        self,
        fact: BuildStarted | StageStarted,
        name: str,
        tags: Mapping[str, str],
        *,
        key: str,
        ids: dict[str, str],
    ) -> str:
        """The id of a run, which is made unless it was made before."""
        experiment = ids[f"{fact.build}/experiment"]
        mark = f"{ids[RUN_TAG]}/{key}"
        made = self._client.search_runs([experiment], f"tags.`{RUN_TAG}` = '{mark}'", max_results=1)
        if made:
            return str(made[0].info.run_id)
        process = {tag: ids[tag] for tag in PROCESS_TAGS.values()}
        run = self._client.create_run(
            experiment,
            run_name=name,
            start_time=_milliseconds(fact),
            tags={**tags, **process, RUN_TAG: mark},
        )
        return str(run.info.run_id)

    def _end_stage(self, fact: StageEnded, run_id: str) -> None:
        """Writes what a stage left and closes its run.

        Its figures stand at the last step of its curve, after the curve: MLflow shows the value that was
        logged last at the highest step.
        """
        from mlflow.entities import Param, RunTag

        state = "ran" if fact.name == "Completed" else fact.name.lower()
        tags = [RunTag(key, value) for key, value in {**fact.tags, "state": state}.items()]
        if fact.state != "completed":
            tags.append(RunTag("failure", fact.message[:_VALUE_LENGTH]))
        parameters = [Param(key, value) for key, value in fact.parameters.items()]
        figures = {**fact.figures, "seconds": fact.seconds}
        points = [Point(name=n, value=v, step=fact.last_step) for n, v in figures.items()]
        self._log_points(run_id, fact, points)
        for start in range(0, max(len(parameters), len(tags)), _FEW):
            some = slice(start, start + _FEW)
            self._client.log_batch(run_id, params=parameters[some], tags=tags[some])
        self._end(run_id, fact)

    def _log_points(self, run_id: str, fact: Fact, points: Sequence[Point]) -> None:
        metrics = list(_metrics(points, at=_milliseconds(fact)))
        for start in range(0, len(metrics), _MANY):
            self._client.log_batch(run_id, metrics=metrics[start : start + _MANY])

    def _end(self, run_id: str, fact: StageEnded | BuildEnded) -> None:
        self._client.set_terminated(run_id, _STATUS[fact.state], end_time=_milliseconds(fact))


def _run_of(fact: Curve | Picture | StageEnded, ids: Mapping[str, str]) -> str:
    return ids[f"{fact.build}/{fact.stage}"]


def _milliseconds(fact: Fact) -> int:
    return int(fact.time * 1000)


def _metrics(points: Iterable[Point], *, at: int) -> Iterable[Any]:
    from mlflow.entities import Metric

    return (Metric(point.name, point.value, timestamp=at, step=point.step) for point in points)


def _process_tags(process: ProcessIdentity) -> dict[str, str]:
    values = asdict(process)
    return {tag: str(values[name]) for name, tag in PROCESS_TAGS.items()}


def _process_of(tags: Mapping[str, str]) -> ProcessIdentity | None:
    """The process that made a run; None where the tags do not say."""
    with suppress(KeyError, ValueError):
        values = {name: tags[tag] for name, tag in PROCESS_TAGS.items()}
        return ProcessIdentity(
            pid=int(values["pid"]),
            started=values["started"],
            boot=values["boot"],
            host=values["host"],
        )
    return None
