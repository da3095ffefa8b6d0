"""Places names beside the points of a plot so that none covers another name or a point."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

Labelled = tuple[str, float, float, str]
"""Text, x and y in data units, colour."""

_POINT_RADIUS = 9.0
"""Half the side, in pixels, of the square that a marker keeps free."""


def place_labels(axes: Axes, points: Sequence[Labelled]) -> None:
    """Write each name at the nearest free place around its point, with a thin line to it."""
    canvas = axes.figure.canvas
    canvas.draw()  # the axes must have their final size before anything is measured
    at = [axes.transData.transform((x, y)) for _, x, y, _ in points]
    radius = _POINT_RADIUS * (axes.figure.dpi / 100)
    side = 2 * radius
    taken = [Bbox.from_bounds(x - radius, y - radius, side, side) for x, y in at]
    taken += [text.get_window_extent() for text in axes.texts]
    frame = axes.get_window_extent()
    for (name, x, y, colour), (px, py) in zip(points, at, strict=True):
        note = axes.annotate(
            name, (x, y), xytext=(0, 0), textcoords="offset pixels", fontsize=9, color=colour,
            va="center", zorder=5, arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6,
                                               "alpha": 0.6, "shrinkA": 0, "shrinkB": 5},
        )  # fmt: skip
        size = note.get_window_extent()
        box, offset = _free_place(px, py, size=(size.width, size.height), taken=taken, frame=frame)
        note.set_position(offset)
        taken.append(box)


def _free_place(
    x: float, y: float, *, size: tuple[float, float], taken: Sequence[Bbox], frame: Bbox
) -> tuple[Bbox, tuple[float, float]]:
    """The nearest free place, or the least covered one: a box and an offset in pixels."""
    width, height = size
    rises = (0, 1.3, -1.3, 2.4, -2.4, 3.6, -3.6, 5.0, -5.0, 6.5, -6.5, 8, -8)
    offsets = [(dx, rise * height) for rise in rises for dx in (18.0, -18.0 - width)]
    boxes = [Bbox.from_bounds(x + dx, y + dy - height / 2, width, height) for dx, dy in offsets]

    def covered(place: tuple[Bbox, tuple[float, float]]) -> float:
        outside = float(place[0].width * place[0].height) - _overlap(place[0], frame)
        return sum(_overlap(place[0], other) for other in taken) + outside

    return min(zip(boxes, offsets, strict=True), key=covered)


def _overlap(first: Bbox, second: Bbox) -> float:
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return float(max(width, 0.0) * max(height, 0.0))
