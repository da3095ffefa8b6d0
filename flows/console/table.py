"""What a person sees at the end: every stage, the verdict, where the demo is, how to look closer.

Plain text, so that it reads the same in a terminal, a pipe and a log, and costs no import.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from flows.console.results import StageResult

_MARKS = {"passed": "ok", "failed": "MISSED", "inconclusive": "inconclusive"}


def stage_table(stages: Sequence[StageResult]) -> str:
    """Stage, ran or cached, seconds, headline figure."""
    rows = [
        (
            stage.name,
            stage.state,
            f"{stage.seconds:,.1f}" if stage.state == "ran" else "-",
            stage.headline,
        )
        for stage in stages
    ]
    total = sum(stage.seconds for stage in stages if stage.state == "ran")
    ran = sum(stage.state == "ran" for stage in stages)
    foot = ("total", f"{ran} ran", f"{total:,.1f}", f"{len(stages) - ran} cached")
    return render(("stage", "state", "seconds", "headline"), [*rows, foot], right=(2,), foot=True)


_VERDICT = ("check", "value", "limit", "unit", "outcome")


def verdict_lines(verdict: dict[str, Any]) -> str:
    """The gate's verdict, one line a check."""
    rows = [tuple(row.values()) for row in verdict_rows(verdict)]
    return f"{verdict_title(verdict)}\n{render(_VERDICT, rows, right=(1, 2))}"


def verdict_title(verdict: dict[str, Any]) -> str:
    """Whether something is released, and what."""
    passed = "passed" if verdict["passed"] else "NOT PASSED"
    return f"Verdict: {passed}, {verdict['released'] or 'no variant'}"


def verdict_rows(verdict: dict[str, Any]) -> list[dict[str, str]]:
    """One row a check."""
    return [
        dict(
            zip(
                _VERDICT,
                (
                    str(check["name"]),
                    f"{figure(check['value'])}{_interval(check.get('interval'))}",
                    figure(check["limit"]),
                    check["unit"] or "",
                    _MARKS.get(check["outcome"], check["outcome"]),
                ),
                strict=True,
            )
        )
        for check in verdict["checks"]
    ]


def render(
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    *,
    right: tuple[int, ...] = (),
    foot: bool = False,
) -> str:
    """A table in plain text; columns in `right` are aligned to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = "  " + "  ".join("─" * width for width in widths)
    text = ["  " + _row(line, widths, right) for line in lines]
    text.insert(1, rule)
    if foot:
        text.insert(-1, rule)
    return "\n".join(line.rstrip() for line in text)


def figure(value: Any) -> str:
    """A figure of a check, short."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _interval(interval: Any) -> str:
    return f" [{figure(interval[0])}, {figure(interval[1])}]" if interval else ""


def _row(line: tuple[str, ...], widths: list[int], right: tuple[int, ...]) -> str:
    cells = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells)
