"""Tells how fast people label, and how much time the labels that are still needed will take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.annotation.events import Kept
from pipeline.annotation.label_goal import LabelGoal

MOST_POINTS = 48
"""Points of a line over time."""
_NORMAL = 1.96
_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Median time of a label.

    Attributes:
        seconds: for how long a row was in sight.
        low: lower end of its 95 % interval, told from the order of the times, whatever their distribution.
        high: upper end.
        labels: on how many labels it rests.
    """

    seconds: float
    low: float
    high: float
    labels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Work that is left until the goal.

    Attributes:
        rows: rows still to be labelled.
        hours: of labelling, all people together, those rows included that two people label.
        low: with the lower ends of the goal and of the pace.
        high: with the upper ends; None where the goal has none.
    """

    rows: int
    hours: float
    low: float
    high: float | None


def pace(answers: Sequence[Kept]) -> Pace | None:
    """The pace of votes; None where none has a time. Skips do not count."""
    given = [kept.event.seconds for kept in answers if kept.event.event == "vote"]
    times = np.sort(np.array([each for each in given if each is not None], dtype=np.float64))
    count = len(times)
    if not count:
        return None
    # Ranks between which the median lies with 95 %, by the normal approximation of the binomial.
    half = _NORMAL * math.sqrt(count) / 2
    low, high = max(math.floor(count / 2 - half), 0), min(math.ceil(count / 2 + half), count - 1)
    return Pace(
        seconds=float(np.median(times)),
        low=float(times[low]),
        high=float(times[high]),
        labels=count,
    )


def cost_left(
    goal: LabelGoal | None, found: Pace | None, *, labelled: int, double_share: float
) -> Cost | None:
    """The work until the goal; None where the goal or the pace is not known.

    Args:
        labelled: rows that have a label.
        double_share: share of the rows that two people label.
    """
    if goal is None or found is None:
        return None

    def hours(needed: int, seconds: float) -> float:
        return max(needed - labelled, 0) * (1 + double_share) * seconds / _HOUR

    return Cost(
        rows=max(goal.needed - labelled, 0),
        hours=hours(goal.needed, found.seconds),
        low=hours(goal.low, found.low),
        high=None if goal.high is None else hours(goal.high, found.high),
    )


def over_time(answers: Sequence[Kept], *, most: int = MOST_POINTS) -> list[dict[str, Any]]:
    """How many answers there were at each of up to `most` times, equally far apart, from the first to the last.

    Returns:
        `{"time": UTC in ISO 8601, "labels": number}` each; nothing where there is no answer.
    """
    if not answers:
        return []
    times = np.sort(np.array([kept.time[:19] for kept in answers], dtype="datetime64[s]"))
    first, span = times[0], int((times[-1] - times[0]).astype(np.int64))
    steps = np.unique(np.linspace(0, span, num=min(most, span + 1)).round().astype(np.int64))
    ends = first + steps.astype("timedelta64[s]")
    counts = np.searchsorted(times, ends, side="right")
    return [
        {"time": f"{end}Z", "labels": int(count)} for end, count in zip(ends, counts, strict=True)
    ]
