"""Plots that compare the variants, drawn without a display; equal figures give equal bytes."""

import csv
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.acceptance.judge import Judge, Judged
from pipeline.core.artifacts.variant_reports import ScorecardEntry, SliceReport, VariantReport
from pipeline.core.files import atomic_path, write_text
from pipeline.core.product import Requirements
from pipeline.core.progress import say
from pipeline.problem.problems import in_words
from pipeline.report.answer_plots import PICTURES
from pipeline.report.colours import COLOURS, DPI, GRID, INK, MARKERS, MUTED, panels
from pipeline.report.fonts import use_fonts_of_this_machine
from pipeline.report.label_placement import place_labels

Point = tuple[str, float, float, Sequence[float]]
"""Variant, x, quality, and the ends of the quality's interval."""
_SHOWN = 20
_SIZE = "size of the model file, MB (10⁶ bytes)"


def plot_evaluation(
    folder: Path,
    reports: Sequence[VariantReport],
    shown: Mapping[str, Judged],
    *,
    judge: Judge,
    labels: list[str],
) -> None:
    """Write `confusion.csv` and the pictures of `plots/` into `folder`.

    Args:
        reports: what is known of each variant.
        shown: variant → answers to draw in detail; the last one's go to `confusion.csv`.
    """
    last = [*shown.values()][-1]
    rows = judge.problem.confusion(last.gold, last.answers, labels)
    write_csv(folder / "confusion.csv", ["actual", "predicted"], rows)
    name, draw = PICTURES[judge.problem.name]
    write_png(folder / "plots" / f"{name}.png", draw(shown, labels=labels))
    slices = {report.name: report.slices for report in reports if report.name in shown}
    figure = slices_figure(slices, score=judge.problem.words.row_score)
    write_png(folder / "plots" / "slices.png", figure)
    figure = quality_figure(reports, _sizes(reports), metric=judge.metric, x_label=_SIZE)
    write_png(folder / "plots" / "quality_by_size.png", figure)


def plot_choice(
    folder: Path, scorecard: Sequence[ScorecardEntry], limits: Requirements, *, released: str
) -> None:
    """Write `quality_by_size.csv` and `plots/quality_by_{size,latency}.png` into `folder`."""
    sizes, metric = _sizes(scorecard), limits.quality_metric
    times = {entry.name: entry.latency_ms.p95 for entry in scorecard if entry.latency_ms}
    costs = {
        "size": (sizes, limits.size_mb, _SIZE),
        "latency": (times, limits.latency_p95_ms, "95th percentile of one request, ms"),
    }
    for name, (cost, limit, x_label) in costs.items():
        figure = quality_figure(
            scorecard,
            cost,
            metric=metric,
            x_label=x_label,
            limit=(limit, limits.min_quality),
            chosen=released,
        )
        write_png(folder / "plots" / f"quality_by_{name}.png", figure)
    rows = [
        (entry.name, sizes[entry.name], entry.quality.validation.figures[metric])
        for entry in scorecard
        if entry.name in sizes
    ]
    write_csv(folder / "quality_by_size.csv", ["variant", "size_mb", "quality"], rows)


def _sizes(reports: Sequence[VariantReport]) -> dict[str, float]:
    """Variant → megabytes (10⁶ bytes) of its file; baselines have none."""
    return {report.name: report.size_bytes / 1e6 for report in reports if report.size_bytes}


def quality_figure(
    reports: Sequence[VariantReport],
    cost: Mapping[str, float],
    *,
    metric: str,
    x_label: str,
    limit: tuple[float, float] | None = None,
    chosen: str | None = None,
) -> Figure:
    """Validation quality against a cost on a logarithmic axis.

    Args:
        cost: of each variant; those without one, the baselines, are drawn as horizontal lines.
        limit: largest allowed cost and least allowed quality; the area within both is shaded.
        chosen: the released variant, ringed.
    """
    quality = {report.name: report.quality.validation for report in reports}
    value = {name: found.figures[metric] for name, found in quality.items()}
    points = [(n, cost[n], y, quality[n].intervals[metric]) for n, y in value.items() if n in cost]
    baselines = {name: y for name, y in value.items() if name not in cost}
    figure, axes = _canvas(8.4, 5.2)
    axes.set_xscale("log")
    for name, x, y, (low, high) in points:
        model, precision = name.split("-")
        axes.plot([x, x], [low, high], color=COLOURS[model], alpha=0.25, linewidth=2, zorder=2)
        axes.plot(x, y, MARKERS[precision], color=COLOURS[model], markersize=8, zorder=3,
                  markeredgecolor="white")  # fmt: skip
        if name == chosen:
            axes.plot(x, y, "o", markersize=17, markerfacecolor="none", color=INK, zorder=4)
    _frame(axes, points, baselines, limit=limit)
    axes.set_xlabel(x_label)
    axes.set_ylabel(f"{in_words(metric)} on validation")
    axes.set_title("Lines through the points: 95 % intervals", loc="left", fontsize=9, color=MUTED)
    notes = {chosen: " (released)"}
    named = [(f"{n}{notes.get(n, '')}", x, y, COLOURS[n.split("-")[0]]) for n, x, y, _ in points]
    place_labels(axes, named)
    return figure


def slices_figure(slices: Mapping[str, Sequence[SliceReport]], *, score: str) -> Figure:
    """How far each slice falls below the whole split, with intervals; one row a slice."""
    rows = [part for part in next(iter(slices.values())) if part.gap is not None]
    figure, axes = _canvas(8.4, 1.6 + 0.62 * len(rows))
    if not rows:
        axes.set_axis_off()
        axes.text(0, 0.5, "No slice has enough rows to be measured.", color=MUTED)
        return figure
    axes.axvline(0, color=MUTED, linewidth=1)
    for number, (variant, parts) in enumerate(slices.items()):
        shift = (number - (len(slices) - 1) / 2) * 0.26
        _draw_gaps(axes, variant, parts, names=[part.name for part in rows], shift=shift)
    axes.set_yticks(range(len(rows)), [f"{part.name}\n{part.rows:,} rows" for part in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        f"{score} of all rows minus {score} of the slice, points (right: slice is worse)"
    )
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.2)
    return figure


def _draw_gaps(
    axes: Axes, variant: str, parts: Sequence[SliceReport], *, names: Sequence[str], shift: float
) -> None:
    """One variant's gaps, each `shift` below the row of its slice."""
    model, precision = variant.split("-")
    found = {part.name: part for part in parts}
    for row, name in enumerate(names):
        gap, (low, high) = found[name].gap or 0.0, found[name].interval or (0.0, 0.0)
        axes.plot([low * 100, high * 100], [row + shift] * 2, color=COLOURS[model], alpha=0.35,
                  linewidth=3, solid_capstyle="round")  # fmt: skip
        axes.plot(gap * 100, row + shift, MARKERS[precision], color=COLOURS[model],
                  markersize=7, label=variant if row == 0 else None)  # fmt: skip


def write_png(path: Path, figure: Figure) -> None:
    """Save without date or version, so that equal pictures are equal files on one machine."""
    if missing := use_fonts_of_this_machine(figure):
        say(
            f"NOTE {path.name} shows boxes in place of {missing[:_SHOWN]}: no font on this machine has them;"
            " a package such as fonts-noto-core or fonts-noto-cjk brings one"
        )
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV, whole or not at all."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_text(path, text.getvalue())


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure, [axes] = panels(1, width=width, height=height)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _frame(
    axes: Axes,
    points: Sequence[Point],
    baselines: Mapping[str, float],
    *,
    limit: tuple[float, float] | None,
) -> None:
    """Sets axis ranges around all points; draws the baselines near them and the allowed corner."""
    xs = [x for _, x, _, _ in points]
    ends = [end for *_, interval in points for end in interval]
    # A far-off baseline (the majority class) would squeeze all the rest into a strip.
    near = {n: y for n, y in baselines.items() if y > min(ends) - 0.1}
    bottom, top = min([*ends, *near.values()]), max([*ends, *near.values()])
    left, right = min(xs) / 2.2, max(xs) * 2.6
    axes.set_xlim(left, right)
    axes.set_ylim(bottom - 0.03, top + 0.02)
    ticks = [step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    for number, (name, y) in enumerate(sorted(near.items(), key=lambda item: item[1])):
        axes.axhline(y, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        # The lowest is named below its line, so that two close ones do not collide.
        side, shift = ("top", -3) if number == 0 and len(near) > 1 else ("bottom", 3)
        axes.annotate(f"{name}  {y:.3f}", (0.995, y), (0, shift), ha="right", va=side, fontsize=8,
                      color=MUTED, xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points")  # fmt: skip
    if limit is not None:
        cost, quality = limit
        axes.fill_between([left, cost], quality, top + 0.02, color="#16a34a", alpha=0.07, zorder=0)
        axes.text(0.01, 0.985, "within both limits shown", fontsize=8, va="top", color="#15803d",
                  transform=axes.transAxes)  # fmt: skip
