"""dvc.yaml as an ordered graph of stages. DVC is not imported, so reading is quick.

A stage depends on another where a path of its dependencies equals, contains or is inside an output
of the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from pipeline.core.errors import ArtifactError
from pipeline.core.params import parse_yaml
from pipeline.core.stage import declared_keys


@dataclass(frozen=True)
class Stage:
    """One entry of dvc.yaml: paths relative to the workspace, dotted keys of build.yaml."""

    name: str
    command: str
    dependencies: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Dag:
    """Stages, parents before children, otherwise in the order of dvc.yaml."""

    stages: tuple[Stage, ...]
    parents: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stage.name for stage in self.stages)

    def with_descendants(self, names: Iterable[str]) -> tuple[str, ...]:
        """`names` and all stages that depend on them, in order."""
        reached = set(names)
        for name in self.names:
            if reached.intersection(self.parents[name]):
                reached.add(name)
        return tuple(name for name in self.names if name in reached)

    def with_ancestors(self, names: Iterable[str]) -> tuple[str, ...]:
        """`names` and all stages that they depend on, in order."""
        reached = set(names)
        for name in reversed(self.names):
            if name in reached:
                reached.update(self.parents[name])
        return tuple(name for name in self.names if name in reached)


def load_dag(path: Path) -> Dag:
    """Reads dvc.yaml; raises ArtifactError where it is missing, damaged, or runs in a circle."""
    try:
        entries: dict[str, Any] = parse_yaml(path.read_text(encoding="utf-8"))["stages"]
        stages = [_stage(name, entry) for name, entry in entries.items()]
        parents = {stage.name: _parents(stage, stages) for stage in stages}
        return Dag(stages=tuple(_sorted(stages, parents)), parents=parents)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArtifactError(
            f"{path.name} could not be used: {error}",
            expected="stages, each with cmd, deps, params and outs",
            next_step=f"restore it with `git checkout {path.name}`",
        ) from error


def _stage(name: str, entry: dict[str, Any]) -> Stage:
    outputs = [*entry.get("outs", []), *entry.get("metrics", []), *entry.get("plots", [])]
    return Stage(
        name=name,
        command=entry["cmd"],
        dependencies=tuple(entry.get("deps", [])),
        # An output is a path, or a mapping of a path to its options.
        outputs=tuple(str(next(iter(o))) if isinstance(o, dict) else str(o) for o in outputs),
        parameters=tuple(declared_keys(entry)),
    )


def _parents(stage: Stage, stages: list[Stage]) -> tuple[str, ...]:
    return tuple(
        other.name
        for other in stages
        if other.name != stage.name
        and any(
            PurePosixPath(dep).is_relative_to(out) or PurePosixPath(out).is_relative_to(dep)
            for dep in stage.dependencies
            for out in other.outputs
        )
    )


def _sorted(stages: list[Stage], parents: dict[str, tuple[str, ...]]) -> list[Stage]:
    """Parents before children; the file's order among stages that are ready together."""
    waiting, ordered = list(stages), list[Stage]()
    while waiting:
        done = {stage.name for stage in ordered}
        ready = [stage for stage in waiting if done.issuperset(parents[stage.name])]
        if not ready:
            raise ValueError(f"in a circle: {', '.join(stage.name for stage in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered
