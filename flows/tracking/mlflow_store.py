"""Writes builds to MLflow: `mlflow.db` and `mlartifacts` in the main root.

Synchronous: flows/tracking/recorder.py calls it from one thread and keeps its errors from the
build.
"""

import csv
import json
import logging
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.execution.git import git
from pipeline.core.files import read_json
from pipeline.core.params import parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.stage import declared_keys, stage_definition
from pipeline.release.server_process import is_alive

PID_TAG = "modelyard.pid"
_MANY, _FEW = 900, 90  # MLflow takes at most 1000 metrics, 100 parameters or tags a call
_VALUE_LENGTH = 500


class MlflowStore:
    """One build's runs: a parent and a child a stage."""

    def __init__(self, root: Path, *, workspace: Path, experiment: str) -> None:
        from mlflow import MlflowClient

        from pipeline.release.registry import ensure_database, experiment_id

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._workspace = workspace
        self._repository = workspace if (workspace / ".git").exists() else root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's and alembic's, on a new database
            ensure_database(root)
            self._client = MlflowClient(Paths(root).tracking_uri)
            self._experiment = experiment_id(self._client, root, experiment)
        self._parent = ""

    def start_build(self, title: str) -> str:
        """Opens the parent run and closes runs of killed builds; returns its id."""
        running = self._client.search_runs(
            [self._experiment], "attributes.status = 'RUNNING'", max_results=1000
        )
        for run in running:
            if not is_alive(int(run.data.tags.get(PID_TAG, 0))):
                self._client.set_terminated(run.info.run_id, "KILLED")
        self._parent = self._start(title, _git_tags(self._repository))
        return self._parent

    def start_stage(self, name: str) -> str:
        """Opens the child run of a stage; returns its id."""
        return self._start(name, {"mlflow.parentRunId": self._parent, "stage": name})

    def log_rows(self, run_id: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Logs rows of a learning curve, each at its step."""
        points = _metrics(curve_points(rows))
        for start in range(0, len(points), _MANY):
            self._client.log_batch(run_id, metrics=points[start : start + _MANY])

    def finish_stage(
        self, run_id: str, name: str, *, state: str, seconds: float, outputs: Mapping[str, str]
    ) -> None:
        """Logs the results of a stage and closes its run; `outputs` are tags from `output_tags`.

        Its figures are logged at the last step of its curve, after the curve: MLflow shows the
        value that was logged last at the highest step.
        """
        from mlflow.entities import Param, RunTag

        paths = Paths(self._workspace, name)
        parameters = [Param(key, value) for key, value in _parameters(paths).items()]
        tags = [RunTag(key, value) for key, value in outputs.items()]
        tags.append(RunTag("state", state))
        figures = {**_figures(paths), "seconds": seconds}
        curve = curve_points(read_curve(paths.out / "curve.csv"))
        last = max((step for _, _, step in curve), default=0)
        metrics = _metrics((key, value, last) for key, value in figures.items())
        for start in range(0, max(len(parameters), len(tags), len(metrics)), _FEW):
            some = slice(start, start + _FEW)
            self._client.log_batch(run_id, metrics[some], parameters[some], tags[some])
        for plot in sorted(paths.out.glob("plots/*.png")):
            self._client.log_artifact(run_id, str(plot), "plots")
        self._client.set_terminated(run_id)

    def fail_stage(self, run_id: str, message: str) -> None:
        """Closes the run of a stage that failed."""
        self._client.set_tag(run_id, "failure", message[:_VALUE_LENGTH])
        self._client.set_tag(run_id, "state", "failed")
        self._client.set_terminated(run_id, "FAILED")

    def finish_build(self, *, succeeded: bool) -> None:
        """Logs the gate's figures and files on the parent run, and closes it."""
        gate = Paths(self._workspace, "gate")
        if succeeded:
            metrics = _metrics((key, value, 0) for key, value in _figures(gate).items())
            self._client.log_batch(self._parent, metrics=metrics)
            for name in ("scorecard.json", "verdict.json", "bundle/MODEL_CARD.md"):
                if (gate.out / name).exists():
                    self._client.log_artifact(self._parent, str(gate.out / name))
        self._client.set_terminated(self._parent, "FINISHED" if succeeded else "FAILED")

    def _start(self, name: str, tags: Mapping[str, str]) -> str:
        tags = {**tags, PID_TAG: str(os.getpid())}
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        return str(run.info.run_id)


def read_curve(path: Path) -> list[dict[str, str]]:
    """Rows of a curve.csv, without a last line that is still being written."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    whole = text[: text.rfind("\n") + 1]
    return list(csv.DictReader(whole.splitlines()))


def curve_points(rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of the figures in rows; empty cells and words are left out."""
    for index, row in enumerate(rows):
        step = int(float(row.get("step") or index))
        for name, text in row.items():
            if name != "step" and text:
                with suppress(ValueError):  # a name in a column of words
                    yield name, float(text), step


def _metrics(points: Iterable[tuple[str, float, int]]) -> list[Any]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(name, value, timestamp=now, step=step) for name, value, step in points]


def _parameters(paths: Paths) -> dict[str, str]:
    """The declared parameters of a stage under dotted names that MLflow allows."""
    values = parse_yaml(paths.build.read_text(encoding="utf-8"))
    keys = declared_keys(stage_definition(paths, paths.stage))
    found = {}
    for name, value in _leaves(values, ""):
        if any(name == key or name.startswith(f"{key}.") for key in keys):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            allowed = "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in name)
            found[allowed] = text[:_VALUE_LENGTH]
    return found


def _figures(paths: Paths) -> dict[str, float]:
    """The numbers of metrics.json under dotted names."""
    path = paths.out / "metrics.json"
    leaves = _leaves(read_json(path), "") if path.exists() else ()
    return {name: float(value) for name, value in leaves if isinstance(value, int | float)}


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested mappings."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def output_tags(paths: Paths) -> dict[str, str]:
    """`dvc.<output>` → its hash in dvc.lock. Call it while no stage runs: DVC rewrites the file."""
    lock = paths.dvc_lock
    if not lock.exists():
        return {}
    stages = parse_yaml(lock.read_text(encoding="utf-8")).get("stages", {})
    outputs = stages.get(paths.stage, {}).get("outs", [])
    return {f"dvc.{out['path']}": str(out.get("md5", "")) for out in outputs}


def _git_tags(folder: Path) -> dict[str, str]:
    changed = git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return {
        "git.commit": git(folder, "rev-parse", "HEAD").strip(),
        "git.dirty": str(bool(changed)).lower(),
    }
