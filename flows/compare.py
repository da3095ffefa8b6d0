"""Models of several builds in one table: the newest build here, and each with a profile or changes.

modelyard compare                 # the released variant of each, beside baselines and teachers
modelyard compare --all           # every variant
modelyard compare --product NAME_OR_FILE        # builds of that product alone
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.console.table import render
from flows.execution.workspace import kept_builds
from pipeline.core.artifacts.variant_reports import Quality, Scorecard, ScorecardEntry
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import DataError
from pipeline.core.params import parse_yaml
from pipeline.core.paths import BUILD_FILE, Paths


@dataclass(frozen=True, kw_only=True)
class Build:
    """The results of one build; `family` is that of its students, `released` a variant's name."""

    product: str
    metric: str
    family: str
    released: str
    entries: list[ScorecardEntry]


def read_builds(root: Path, *, product: str = "") -> list[Build]:
    """Every build that came as far as the gate; the one in `root` first, then the newest first.

    Args:
        product: name of the product whose builds are wanted; empty for all.
    """
    folders = [
        folder
        for folder in (root, *kept_builds(root))
        if (Paths(folder).artifacts / Scorecard.FILE).is_file()
    ]
    if not folders:
        raise DataError(
            "no artifacts/gate/scorecard.json",
            expected="a build that came as far as the gate",
            next_step="run `make pipeline` first",
        )
    builds = [_read(folder) for folder in folders]
    found = [build for build in builds if product in ("", build.product)]
    if not found:
        raise DataError(
            f"no build of {product}",
            expected=f"one of: {', '.join(dict.fromkeys(build.product for build in builds))}",
            next_step=f"name one of these, or `modelyard build --product {product}`",
        )
    return found


def comparison(builds: list[Build], *, every: bool) -> str:
    """A table with one line a variant; without `every`, only variants that have a test figure."""
    lines = [line for build in builds for line in _lines(build, every=every)]
    head = ("product", "students", "variant", "metric", "validation", "test", "MB", "p95 ms")
    return render(head, lines, right=(6, 7))


def _read(folder: Path) -> Build:
    # As they were when it was built: a file may have been edited since.
    stages = parse_yaml(Paths(folder).dvc_lock.read_text(encoding="utf-8"))["stages"]
    built = {name: _parameters(stages[name]) for name in ("pretrain", "gate")}
    product = built["gate"]["product"]
    return Build(
        product=product["name"],
        metric=product["requirements"]["quality_metric"],
        family=built["pretrain"]["pretrain"]["model"],
        released=Verdict.read(Paths(folder)).released,
        entries=Scorecard.read(Paths(folder)).variants,
    )


def _parameters(stage: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a stage in dvc.lock; builds before product.yaml have them of params.yaml."""
    files = stage["params"]
    found: dict[str, Any] = files[BUILD_FILE] if BUILD_FILE in files else files["params.yaml"]
    return found


def _lines(build: Build, *, every: bool) -> Iterator[tuple[str, ...]]:
    for entry in build.entries:
        quality, times = entry.quality, entry.latency_ms
        if not (every or quality.test):
            continue
        yield (
            build.product,
            build.family,
            f"{entry.name} (released)" if entry.name == build.released else entry.name,
            build.metric,
            _figure(quality.validation, build.metric),
            _figure(quality.test, build.metric),
            f"{entry.size_mb:.2f}" if entry.size_mb else "-",
            f"{times.p95:.2f}" if times else "-",
        )


def _figure(quality: Quality | None, metric: str) -> str:
    """A metric with its interval; "-" where the split was not scored."""
    if quality is None:
        return "-"
    low, high = quality.intervals[metric]
    return f"{quality.figures[metric]:.4f} [{low:.3f}, {high:.3f}]"
