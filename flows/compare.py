"""Models of several builds in one table: the newest build here, and each with a profile or changes.

modelyard compare                 # the released variant of each, beside baselines and teachers
modelyard compare --all           # every variant
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.console.table import render
from flows.execution.workspace import kept_builds
from pipeline.core.errors import DataError
from pipeline.core.files import read_json
from pipeline.core.params import parse_yaml
from pipeline.core.paths import Paths

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Build:
    """What a build left.

    Attributes:
        family: `pretrain.model`, of its students.
        released: name of the variant that passed; None where none did.
    """

    product: str
    metric: str
    family: str
    released: str | None
    entries: list[Entry]


def read_builds(root: Path) -> list[Build]:
    """Every build whose gate has spoken; the one in `root` first, the others newest first.

    Raises:
        DataError: there is none.
    """
    folders = [folder for folder in (root, *kept_builds(root)) if _scorecard(folder).is_file()]
    if not folders:
        raise DataError(
            "no artifacts/gate/scorecard.json",
            expected="a build that came as far as the gate",
            next_step="run `make pipeline` first",
        )
    return [_read(folder) for folder in folders]


def comparison(builds: list[Build], *, every: bool) -> str:
    """One line a variant; without `every`, of those alone that have a test figure."""
    lines = [line for build in builds for line in _lines(build, every=every)]
    head = ("product", "students", "variant", "metric", "validation", "test", "MB", "p95 ms")
    return render(head, lines, right=(6, 7))


def _scorecard(folder: Path) -> Path:
    return Paths(folder).artifacts / "gate" / "scorecard.json"


def _read(folder: Path) -> Build:
    # As they were when it was built: params.yaml may have been edited since.
    stages = parse_yaml(Paths(folder).dvc_lock.read_text(encoding="utf-8"))["stages"]
    built = {name: stages[name]["params"]["params.yaml"] for name in ("pretrain", "gate")}
    product = built["gate"]["product"]
    return Build(
        product=product["name"],
        metric=product["requirements"]["quality_metric"],
        family=built["pretrain"]["pretrain"]["model"],
        released=read_json(Paths(folder).read("gate", "verdict.json"))["released"],
        entries=read_json(_scorecard(folder))["variants"],
    )


def _lines(build: Build, *, every: bool) -> Iterator[tuple[str, ...]]:
    for entry in build.entries:
        if not (every or "test" in entry["quality"]):
            continue
        name, times = entry["name"], entry["latency_ms"]
        yield (
            build.product,
            build.family,
            f"{name} (released)" if name == build.released else name,
            build.metric,
            _quality(entry, "validation", build.metric),
            _quality(entry, "test", build.metric),
            f"{entry['size_bytes'] / 1e6:.2f}" if entry["size_bytes"] else "-",
            f"{times['p95']:.2f}" if times else "-",
        )


def _quality(entry: Entry, split: str, metric: str) -> str:
    if (found := entry["quality"].get(split)) is None:
        return "-"
    low, high = found[f"{metric}_ci95"]
    return f"{found[metric]:.4f} [{low:.3f}, {high:.3f}]"
