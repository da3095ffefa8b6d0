"""Reads prefect.yaml: the deployments and schedules that `modelyard ui` hands to Prefect.

The format is Prefect's own. A key that is not handed over is refused by its name, never passed over.
Does not import Prefect, so that a mistake in the file is told before anything starts.
"""

import difflib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import yaml

from pipeline.core.errors import ParameterError
from pipeline.core.params import parse_yaml
from pipeline.core.typed_json import MismatchError, read_as

FILE = "prefect.yaml"
_PASSED_OVER = "prefect-version"
"""Prefect's own `prefect init` writes it; nothing reads it."""


@dataclass(frozen=True, kw_only=True)
class WorkPool:
    """Where a deployment's runs wait for the worker; `job_variables` go to each run's process."""

    name: str
    work_queue_name: str = "default"
    job_variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a deployment runs by itself, and with which parameters.

    Attributes:
        slug: the schedule's name, by which it is found again.
        cron: one of `cron`, `interval` (seconds) and `rrule` is given.
    """

    slug: str
    cron: str | None = None
    interval: float | None = None
    rrule: str | None = None
    timezone: str = "UTC"
    active: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConcurrencyLimit:
    """How many runs of a deployment there may be at once, and what becomes of one more."""

    limit: int
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One entry of prefect.yaml; `entrypoint` is `package.module.flow`."""

    name: str
    entrypoint: str
    work_pool: WorkPool
    description: str | None = None
    version: str | None = None
    tags: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    concurrency_limit: ConcurrencyLimit | int | None = None
    enforce_parameter_schema: bool = True
    schedules: list[Schedule] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DeploymentFile:
    """The whole of prefect.yaml; `definitions` are YAML anchors, `pull` steps before each run."""

    deployments: list[Deployment]
    name: str = ""
    pull: list[dict[str, Any]] = field(default_factory=list)
    definitions: dict[str, Any] = field(default_factory=dict)


def read_deployment_file(root: Path) -> DeploymentFile:
    """The deployments of the project's prefect.yaml, checked.

    Raises:
        ParameterError: the file is missing or not YAML, or a key is unknown, missing or malformed.
    """
    try:
        values = parse_yaml((root / FILE).read_text(encoding="utf-8"))
        if isinstance(values, dict):
            values.pop(_PASSED_OVER, None)
        file = read_as(DeploymentFile, values)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, MismatchError) as error:
        raise _refused(str(error)) from error
    for number, deployment in enumerate(file.deployments):
        _check_schedules(deployment, f"deployments[{number}].schedules")
    return file


def _check_schedules(deployment: Deployment, place: str) -> None:
    """Raises ParameterError for two schedules of one slug, or one without exactly one time."""
    slugs = [schedule.slug for schedule in deployment.schedules]
    for number, schedule in enumerate(deployment.schedules):
        if slugs.count(schedule.slug) > 1:
            raise _refused(f"two schedules with the slug {schedule.slug!r} in {place}")
        given = [schedule.cron, schedule.interval, schedule.rrule]
        if sum(value is not None for value in given) != 1:
            raise _refused(f"{place}[{number}] with more or less than one of cron, interval, rrule")


def _refused(got: str) -> ParameterError:
    """The error for a fault of the file, with the nearest key to a mistyped one."""
    kinds = (DeploymentFile, Deployment, WorkPool, Schedule, ConcurrencyLimit)
    known = list(dict.fromkeys(field.name for kind in kinds for field in fields(kind)))
    written = got.rstrip("'\"").rpartition(".")[2] if "unknown key" in got else ""
    near = difflib.get_close_matches(written.split("'")[-1], known, n=1, cutoff=0.6)
    return ParameterError(
        f"{FILE}: {got}",
        expected=f"keys of Prefect's format that are handed to it: {', '.join(known)}",
        next_step=f"did you mean `{near[0]}`?" if near else f"correct {FILE}, or leave the key out",
    )
