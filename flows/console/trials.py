"""Recipes that a search tried: their figures, the Pareto front, the best one, table and plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows.console.table import render
from pipeline.core.artifacts.part import named
from pipeline.core.artifacts.variant_reports import Timings, VariantReports
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import PipelineError
from pipeline.core.failure import StageFailure
from pipeline.core.files import atomic_path, write_text
from pipeline.core.paths import Paths
from pipeline.core.product import Requirements
from pipeline.core.progress import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Recipe = Mapping[str, Any]
"""Parameter → value."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """The figures of one recipe, on validation, in the product's metric and 10⁶ bytes of the model.

    Attributes:
        variant: the released one, or where none passed the one that the gate calls nearest.
        passed: whether the gate found the product's requirements met; `missed` names the others.
    """

    number: int
    recipe: Recipe
    variant: str
    quality: float
    size_mb: float
    latency_p95_ms: float
    passed: bool
    missed: Sequence[str] = ()


def read_trial(
    workspace: Path, *, number: int, recipe: Recipe, refused: StageFailure | None = None
) -> TrialResult:
    """The result of a build; `refused` is the gate's failure where no variant passed."""
    paths = Paths(workspace)
    variant = refused.nearest or "" if refused else Verdict.read(paths).released
    evaluated = named(VariantReports.read(paths).variants, variant, file=VariantReports.FILE)
    measured = named(Timings.read(paths).variants, variant, file=Timings.FILE)
    metric = evaluated.difference_to_teacher.metric
    return TrialResult(
        number=number,
        recipe=dict(recipe),
        variant=variant,
        quality=evaluated.quality.validation.figures[metric],
        size_mb=(evaluated.size_bytes or 0) / 1e6,
        latency_p95_ms=measured.latency_ms.p95,
        passed=refused is None,
        missed=refused.missed if refused else (),
    )


def pareto(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """The Pareto front of quality and size, smallest model first."""

    def beaten(one: TrialResult) -> bool:
        return any(
            other.quality >= one.quality
            and other.size_mb <= one.size_mb
            and (other.quality, other.size_mb) != (one.quality, one.size_mb)
            for other in trials
        )

    return sorted((t for t in trials if not beaten(t)), key=_by_size)


def best(trials: Sequence[TrialResult]) -> TrialResult | None:
    """The smallest model that passed, the better one of equals; None where none passed."""
    return min((trial for trial in trials if trial.passed), key=_by_size, default=None)


def trial_table(trials: Sequence[TrialResult]) -> str:
    """One line a trial, smallest model first; `*` marks the Pareto front."""
    front = {trial.number for trial in pareto(trials)}
    names = sorted({name for trial in trials for name in trial.recipe})
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
        for trial in sorted(trials, key=_by_size)
    ]
    head = ("trial", *names, "variant", "validation", "MB", "p95 ms", "requirements")
    right = tuple(range(len(names) + 2, len(names) + 5))
    return render(head, lines, right=right)


def report(
    root: Path,
    trials: Sequence[TrialResult],
    *,
    folder: Path,
    limits: Requirements,
    shared: Mapping[str, Any],
) -> None:
    """Prints the table, plots it into `folder`, and saves the best recipe; fails where there is none.

    Args:
        shared: what all recipes have in common, as a profile says it.
    """
    plot = folder / "pareto.png"
    plot_trials(plot, trials, limits=limits)
    say(f"\n{trial_table(trials)}\n  * on the Pareto front of quality and size")
    say(f"Plot: {plot.relative_to(root)}")
    if (found := best(trials)) is None:
        front = "; ".join(
            f"trial {t.number}: {t.quality:.4f}, {t.size_mb:.2f} MB, misses {', '.join(t.missed)}"
            for t in pareto(trials)
        )
        raise PipelineError(
            f"no recipe of {len(trials)} met the requirements; the Pareto front: {front or 'empty'}",
            expected="a recipe that passes the gate",
            next_step="widen compress.space, raise its budget, or ask for less in product.requirements",
        )
    profile = root / "profiles" / "found.yaml"
    write_profile(profile, found, shared=shared, metric=limits.quality_metric)
    say(f"Best: trial {found.number}. `modelyard build --profile found` builds and releases it.")


def write_profile(
    path: Path, trial: TrialResult, *, shared: Mapping[str, Any], metric: str
) -> None:
    """Writes a recipe as a profile, with what all recipes shared but `compress.…`."""
    kept = {name: value for name, value in shared.items() if not name.startswith("compress.")}
    values = kept | dict(trial.recipe)
    figures = (
        f"# Found by `modelyard search`, trial {trial.number}: {trial.variant}, validation {metric} "
        f"{trial.quality:.4f},\n# {trial.size_mb:.2f} MB, p95 {trial.latency_p95_ms:.2f} ms.\n"
    )
    write_text(path, figures + yaml.safe_dump(values, sort_keys=True))


def plot_trials(path: Path, trials: Sequence[TrialResult], *, limits: Requirements) -> None:
    """Draws quality by size of every trial, the Pareto front, and the limits."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    _draw_trials(axes, trials)
    axes.axvline(limits.size_mb, color="0.3", linestyle=":", linewidth=1, label="size_mb")
    axes.axhline(limits.min_quality, color="0.3", linestyle="--", linewidth=1, label="min_quality")
    axes.set(
        xlabel="size of the model file, MB (10⁶ bytes)",
        ylabel=f"{limits.quality_metric} on validation",
    )
    axes.legend(fontsize=8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def _draw_trials(axes: "Axes", trials: Sequence[TrialResult]) -> None:
    front = pareto(trials)
    sizes, qualities = [t.size_mb for t in front], [t.quality for t in front]
    axes.step(sizes, qualities, where="post", color="0.6", label="Pareto front")
    for passed, colour, name in ((True, "tab:blue", "passed"), (False, "tab:orange", "missed")):
        if some := [t for t in trials if t.passed is passed]:
            sizes, qualities = [t.size_mb for t in some], [t.quality for t in some]
            axes.scatter(sizes, qualities, color=colour, label=name)
    for trial in trials:
        number, place = str(trial.number), (trial.size_mb, trial.quality)
        axes.annotate(number, place, (4, 4), textcoords="offset points", fontsize=8)


def _by_size(trial: TrialResult) -> tuple[float, float]:
    return trial.size_mb, -trial.quality
