"""Tables in plain text: the same in a terminal, a pipe and a log, and nothing to import."""

from collections.abc import Iterable
from typing import Any


def render(
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    *,
    right: tuple[int, ...] = (),
    foot: bool = False,
) -> str:
    """A table in plain text; columns in `right` are aligned to the right, `foot` is ruled off."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = "  " + "  ".join("─" * width for width in widths)
    text = []
    for line in lines:
        cells = zip(range(len(head)), line, widths, strict=True)
        shown = (c.rjust(width) if i in right else c.ljust(width) for i, c, width in cells)
        text.append("  " + "  ".join(shown))
    text.insert(1, rule)
    if foot:
        text.insert(-1, rule)
    return "\n".join(line.rstrip() for line in text)


def figure(value: Any) -> str:
    """A figure of a check, short."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
