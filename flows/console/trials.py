"""Recipes that were tried, and which of them nobody need look at again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows.console.table import render
from pipeline.core.files import atomic_path, read_json, write_text
from pipeline.core.params import parse_yaml
from pipeline.core.paths import Paths

Recipe = Mapping[str, Any]
"""Parameter → value."""


@dataclass(frozen=True)
class Tried:
    """What a recipe came to, on validation.

    Attributes:
        variant: the released one, or where none passed that which the gate calls nearest.
        quality: in the product's figure.
        size_mb: of the model file, 10⁶ bytes.
        passed: whether the gate found the product's requirements met.
        missed: names of the requirements that were not, where the gate said so.
    """

    number: int
    recipe: Recipe
    variant: str
    quality: float
    size_mb: float
    latency_p95_ms: float
    passed: bool
    missed: str = ""


def read_trial(
    workspace: Path, *, number: int, recipe: Recipe, missed: str | None, nearest: str = ""
) -> Tried:
    """The figures of a build.

    Args:
        missed: what the gate said when it refused; None where it passed.
        nearest: the variant that it then called nearest.
    """
    paths = Paths(workspace)
    variant = nearest
    if missed is None:
        variant = read_json(paths.read("gate", "verdict.json"))["released"]
    evaluated = _named(read_json(paths.read("evaluate", "variants.json")), variant)
    measured = _named(read_json(paths.read("measure", "latency.json")), variant)
    metric = read_json(paths.read("evaluate", "metrics.json"))["quality_metric"]
    return Tried(
        number,
        dict(recipe),
        variant,
        quality=evaluated["quality"]["validation"][metric],
        size_mb=evaluated["size_bytes"] / 1e6,
        latency_p95_ms=measured["latency_ms"]["p95"],
        passed=missed is None,
        missed=missed or "",
    )


def pareto(tried: Sequence[Tried]) -> list[Tried]:
    """Those than which no other is both as good and as small, and better in one of the two; smallest first."""

    def beaten(one: Tried) -> bool:
        return any(
            other.quality >= one.quality
            and other.size_mb <= one.size_mb
            and (other.quality, other.size_mb) != (one.quality, one.size_mb)
            for other in tried
        )

    return sorted((t for t in tried if not beaten(t)), key=lambda t: (t.size_mb, -t.quality))


def best(tried: Sequence[Tried]) -> Tried | None:
    """The smallest of those that passed, the better one of equals."""
    passed = [trial for trial in tried if trial.passed]
    return min(passed, key=lambda t: (t.size_mb, -t.quality)) if passed else None


def trial_table(tried: Sequence[Tried]) -> str:
    """One line a trial, smallest first; `*` marks the Pareto front."""
    front = {trial.number for trial in pareto(tried)}
    names = sorted({name for trial in tried for name in trial.recipe})
    lines = [
        (
            f"{trial.number}{'*' if trial.number in front else ''}",
            *(str(trial.recipe.get(name, "")) for name in names),
            trial.variant,
            f"{trial.quality:.4f}",
            f"{trial.size_mb:.2f}",
            f"{trial.latency_p95_ms:.2f}",
            "passed" if trial.passed else "missed",
        )
        for trial in sorted(tried, key=lambda t: (t.size_mb, -t.quality))
    ]
    head = ("trial", *names, "variant", "validation", "MB", "p95 ms", "requirements")
    right = tuple(range(len(names) + 2, len(names) + 5))
    return render(head, lines, right=right)


def write_patch(path: Path, trial: Tried, *, changes: Sequence[str], metric: str) -> None:
    """A recipe as a profile: `make pipeline ARGS="--profile <name>"` builds and releases it.

    Args:
        changes: `section.key=value` lines that all recipes shared; those of the search itself are left out.
    """
    shared = dict(line.split("=", 1) for line in changes if not line.startswith("compress."))
    values = {name: parse_yaml(value) for name, value in shared.items()} | dict(trial.recipe)
    figures = (
        f"# Found by `make compress-search`, trial {trial.number}: {trial.variant}, validation {metric} "
        f"{trial.quality:.4f},\n# {trial.size_mb:.2f} MB, p95 {trial.latency_p95_ms:.2f} ms.\n"
    )
    write_text(path, figures + yaml.safe_dump(values, sort_keys=True))


def plot_trials(
    path: Path, tried: Sequence[Tried], *, metric: str, limits: Mapping[str, Any]
) -> None:
    """Quality by size of every trial, the Pareto front as a line, the requirements as limits."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    front = pareto(tried)
    axes.step(
        [t.size_mb for t in front],
        [t.quality for t in front],
        where="post",
        color="0.6",
        label="Pareto front",
    )
    for passed, colour, name in ((True, "tab:blue", "passed"), (False, "tab:orange", "missed")):
        some = [t for t in tried if t.passed is passed]
        if some:
            axes.scatter(
                [t.size_mb for t in some], [t.quality for t in some], color=colour, label=name
            )
    for trial in tried:
        axes.annotate(
            str(trial.number),
            (trial.size_mb, trial.quality),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
        )
    axes.axvline(limits["size_mb"], color="0.3", linestyle=":", linewidth=1, label="size_mb")
    axes.axhline(
        limits["min_quality"], color="0.3", linestyle="--", linewidth=1, label="min_quality"
    )
    axes.set(xlabel="size of the model file, MB (10⁶ bytes)", ylabel=f"{metric} on validation")
    axes.legend(fontsize=8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def _named(file: Mapping[str, Any], name: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(e for e in file["variants"] if e["name"] == name)
    return entry
