"""Plots of answers against gold: a confusion matrix, F1 by label, or a scatter of numbers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, f1_score

from pipeline.acceptance.judge import Judged
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.report.colours import COLOURS, INK, MUTED, panels


def confusion_figure(shown: Mapping[str, Judged], *, labels: Sequence[str]) -> Figure:
    """One confusion matrix a variant: rows and share of each actual label."""
    figure, every = panels(len(shown), width=4.2 * len(shown), height=4.2)
    for axes, (variant, judged) in zip(every, shown.items(), strict=True):
        counts = confusion_matrix(judged.gold, judged.answers, labels=range(len(labels)))
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > 0.55 else INK
            text = f"{shares[i, j]:.1%}\n{count:,} rows"
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=11)
        ticks = range(len(labels))
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels, rotation=90, va="center")
        axes.set_xlabel("predicted")
        axes.set_ylabel("actual" if axes is every[0] else "")
        axes.set_title(variant, fontsize=11, color=INK)
        axes.tick_params(length=0, labelcolor="black")
        axes.spines[:].set_visible(False)
    return figure


def labels_figure(shown: Mapping[str, Judged], *, labels: Sequence[str]) -> Figure:
    """F1 of each label, a bar a variant."""
    figure, [axes] = panels(1, width=8.4, height=1.4 + 0.55 * len(labels))
    height = 0.8 / len(shown)
    for number, (variant, judged) in enumerate(shown.items()):
        values = f1_score(judged.gold, judged.answers, average=None, zero_division=0.0)
        places = np.arange(len(labels)) + (number - (len(shown) - 1) / 2) * height
        axes.barh(places, values, height=height * 0.9, color=COLOURS[variant.split("-")[0]],
                  label=variant)  # fmt: skip
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.01, place, f"{value:.2f}", va="center", fontsize=8, color=MUTED)
    rows = next(iter(shown.values())).gold.sum(axis=0)
    names = [f"{label}\n{count:,} rows" for label, count in zip(labels, rows, strict=True)]
    axes.set_yticks(range(len(labels)), names)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("F1 on validation")
    axes.tick_params(length=0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.2)
    return figure


def numbers_figure(shown: Mapping[str, Judged], *, labels: Sequence[str]) -> Figure:
    """Found against gold, one point a row, and the line on which both are equal."""
    figure, every = panels(len(shown), width=4.6 * len(shown), height=4.6)
    numbers = np.concatenate([np.concatenate([j.gold, j.answers]) for j in shown.values()])
    ends = [float(numbers.min()), float(numbers.max())]
    for axes, (variant, judged) in zip(every, shown.items(), strict=True):
        axes.plot(ends, ends, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.scatter(judged.gold, judged.answers, s=12, alpha=0.35, linewidths=0,
                     color=COLOURS[variant.split("-")[0]])  # fmt: skip
        axes.set_xlabel(f"{labels[0]}, actual")
        axes.set_ylabel(f"{labels[0]}, predicted" if axes is every[0] else "")
        axes.set_title(variant, fontsize=11, color=INK)
    return figure


PICTURES = MappingProxyType(
    {
        CLASSIFICATION: ("confusion", confusion_figure),
        MULTI_LABEL: ("labels", labels_figure),
        REGRESSION: ("found_by_gold", numbers_figure),
    }
)
"""Problem → name of its picture, and what draws it."""
