"""Runs a stage with its declared parameters; writes its metrics, or why it failed."""

import os
import random
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.core.disk import DiskFullError, disk_full
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.failure import StageFailure
from pipeline.core.files import read_json, sha256_json, sha256_tree, write_json
from pipeline.core.output import forgive_output
from pipeline.core.params import Params, declared, load_params, parse_yaml
from pipeline.core.paths import BUILD_FILE, Paths
from pipeline.core.progress import say

Metrics = Mapping[str, Any]
Run = Callable[[Params, Paths], Metrics]

INPUT_KEY_VARIABLE = "MODELYARD_INPUT_KEY"


def run_stage(name: str, run: Run, *, extends: Collection[str] = ()) -> None:
    """The entry point of every stage file; `dvc.yaml` runs it.

    Args:
        extends: inputs that the stage itself adds to; with what it added they give the same result.

    Writes `artifacts/<name>/metrics.json`. On a `PipelineError`, or where the disk is full, it writes
    `.modelyard/failures/<name>.json`, prints one message and exits with 1.
    """
    forgive_output()
    paths = Paths(root=Path.cwd(), stage=name)
    started = time.monotonic()
    say(f"{name}  started")
    try:
        metrics = _run(name, run, paths, extends)
        write_json(paths.out / "metrics.json", metrics)
    except Exception as error:
        told = error if isinstance(error, PipelineError) else disk_full(error, paths.out)
        if told is None:
            raise
        how = "ends with an answer" if told.is_answer else "failed"
        print(f"{name} {how}\n  {told}", file=sys.stderr, flush=True)
        with suppress(OSError, DiskFullError):  # the flow reads the printed message then
            StageFailure.of(name, told).save(paths.root)
        sys.exit(1)
    say(f"{name}  done in {time.monotonic() - started:.1f} s  {headline(metrics)}")


def _run(name: str, run: Run, paths: Paths, extends: Collection[str]) -> Metrics:
    params = load_params(paths.build)
    stage = stage_definition(paths, name)
    seed_everything(params.compute.seed)
    paths.out.mkdir(parents=True, exist_ok=True)
    key = os.environ[INPUT_KEY_VARIABLE] = input_key(paths, stage, without=extends)
    metrics = run(declared(params, declared_keys(stage)), paths)
    # DVC records parameters and inputs as they are when a stage ends.
    if key != input_key(paths, stage_definition(paths, name), without=extends):
        raise ParameterError(
            f"parameters or inputs of {name} changed while it ran",
            expected="the same from start to end, or the result would be recorded under other values",
            next_step="run `make pipeline` again, and change no input while a build runs",
        )
    return metrics


def stage_definition(paths: Paths, name: str) -> dict[str, Any]:
    """The entry of `name` in dvc.yaml."""
    definition: dict[str, Any] = parse_yaml(paths.dag.read_text(encoding="utf-8"))["stages"][name]
    return definition


def declared_keys(stage: Mapping[str, Any]) -> list[str]:
    """Dotted keys of build.yaml that a stage of dvc.yaml declares."""
    files = [entry for entry in stage.get("params", []) if isinstance(entry, dict)]
    return [key for entry in files for key in entry.get(BUILD_FILE, [])]


def input_key(paths: Paths, stage: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    """Hash of a stage's parameters, code and inputs, but those of `without`.

    A training checkpoint carries it, so that work is resumed only for the same input.
    """
    values = parse_yaml(paths.build.read_text(encoding="utf-8"))
    parts: list[Any] = [[key, _value(values, key)] for key in declared_keys(stage)]
    if paths.code_lock.exists():
        parts.append(read_json(paths.code_lock).get(paths.stage))
    for dependency in (name for name in stage.get("deps", []) if name not in without):
        path = paths.root / dependency
        parts.append([dependency, sha256_tree(path) if path.exists() else None])
    return sha256_json(parts)


def headline(metrics: Metrics) -> str:
    """The figure that tables show for a stage; the stage names it `headline` in its metrics."""
    return str(metrics.get("headline", ""))


def seed_everything(seed: int) -> None:
    """Seeds Python, and NumPy and torch where the stage has imported them."""
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)


def _value(values: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        values = values[name]
    return values
