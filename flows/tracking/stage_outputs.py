"""The results of a stage, in the form in which Prefect and MLflow are told it."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.tracking.facts import Point
from flows.tracking.last_build import bundle_hash
from pipeline.core.files import read_json
from pipeline.core.params import parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.stage import declared_keys, stage_definition

_VALUE_LENGTH = 500


def left_by_stage(paths: Paths) -> dict[str, Any]:
    """Parameters, figures, tags, last step and bundle of a stage, as fields of `StageEnded`."""
    curve = curve_points(read_curve(paths.out / "curve.csv"))
    return {
        "parameters": _parameters(paths),
        "figures": numbers_of(paths.out / "metrics.json"),
        "tags": _output_tags(paths),
        "last_step": max((point.step for point in curve), default=0),
        "bundle": bundle_hash(paths.root) if paths.stage == "gate" else None,
    }


def read_curve(path: Path) -> list[dict[str, str]]:
    """Rows of a curve.csv, without a last line that is still being written."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    whole = text[: text.rfind("\n") + 1]
    return list(csv.DictReader(whole.splitlines()))


def curve_points(rows: Sequence[Mapping[str, str]]) -> Iterator[Point]:
    """The figures in rows; empty cells and words are left out."""
    for index, row in enumerate(rows):
        step = int(float(row.get("step") or index))
        for name, text in row.items():
            if name != "step" and text:
                with suppress(ValueError):  # a name in a column of words
                    yield Point(name=name, value=float(text), step=step)


def numbers_of(path: Path) -> dict[str, float]:
    """The numbers of a metrics.json under dotted names."""
    leaves = _leaves(read_json(path), "") if path.exists() else ()
    return {name: float(value) for name, value in leaves if isinstance(value, int | float)}


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


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested mappings."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _output_tags(paths: Paths) -> dict[str, str]:
    """`dvc.<output>` → its hash in dvc.lock. Call it while no stage runs: DVC rewrites the file."""
    lock = paths.dvc_lock
    if not lock.exists():
        return {}
    stages = parse_yaml(lock.read_text(encoding="utf-8")).get("stages", {})
    outputs = stages.get(paths.stage, {}).get("outs", [])
    return {f"dvc.{out['path']}": str(out.get("md5", "")) for out in outputs}
