"""Colours, markers, resolution and frames of every plot."""

from types import MappingProxyType

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = MappingProxyType({"teacher": "#3b4cc0", "student": "#c2410c", "pruned": "#0f766e"})
MARKERS = MappingProxyType({"torch": "o", "fp32": "s", "int8": "D"})
INK, MUTED, GRID = "#1f2937", "#6b7280", "#e5e7eb"
DPI = 150


def panels(count: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of this size in inches, with so many axes side by side."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    every = [figure.add_subplot(1, count, column + 1) for column in range(count)]
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRID)
        axes.tick_params(colors=MUTED, labelcolor=INK, length=3)
    return figure, every
