"""Decides whether a new model may take the champion's place.

It may if it is not worse on the same validation rows, which means one of two things:

- it is at least as good as the champion, or
- it is a little worse, but the interval of the difference shows that it loses no more than
  `MAX_LOSS`.

A smaller validation split gives a wider interval, so a loss passes only if there are enough rows to
show that it is small. Because the measured difference counts first, a series of retrains cannot get
worse in steps that each look harmless. The gate's requirements apply in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.metrics.intervals import Interval

MAX_LOSS = 0.01
MIN_ROWS = 30


@dataclass(frozen=True)
class Comparison:
    """The quality of the champion and of a new model on rows that neither trained on.

    `difference` is new minus champion, with its paired interval.
    """

    rows: int
    champion: float
    candidate: float
    difference: Interval
    metric: str

    def __str__(self) -> str:
        low, high = 100 * self.difference.low, 100 * self.difference.high
        return (
            f"{self.metric} {self.candidate:.4f} against the champion's {self.champion:.4f} on the "
            f"same {self.rows} rows: {100 * self.difference.value:+.2f} points "
            f"({low:+.2f} to {high:+.2f})"
        )


@dataclass(frozen=True)
class ReleaseDecision:
    """Whether to release, and why."""

    release: bool
    reason: str


def decide(comparison: Comparison, *, changed: Sequence[str]) -> ReleaseDecision:
    """Whether to release; `changed` names what differs from the champion's build, as a reason."""
    difference, rows = comparison.difference, comparison.rows
    if rows < MIN_ROWS:
        release, why = False, f"Too few rows to compare ({rows}, at least {MIN_ROWS})"
    elif difference.value >= 0:
        release, why = True, "At least as good"
    elif difference.low >= -MAX_LOSS:
        release, why = True, f"Not worse by more than {100 * MAX_LOSS:g} points"
    else:
        release, why = False, "Worse" if difference.high < 0 else "Perhaps worse (inconclusive)"
    outcome = "released" if release else "champion stays"
    because = f"Changed: {', '.join(changed)}. {str(comparison).capitalize()}."
    return ReleaseDecision(release, f"{why}, {outcome}. {because}")
