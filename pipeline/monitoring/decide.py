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
    """A new model and the champion on rows that neither trained on.

    Attributes:
        rows: number of rows.
        champion: the champion's quality.
        candidate: the new model's quality.
        difference: new minus champion, with its paired interval.
        metric: the metric that both are compared by.
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


def decide(
    comparison: Comparison, *, changed: Sequence[str], max_loss: float = MAX_LOSS
) -> ReleaseDecision:
    """Decides to release the new model or to keep the champion.

    Args:
        comparison: the two models on the same rows.
        changed: what differs from what the champion was built from, for the reason.
        max_loss: largest loss of quality that the interval may leave open.
    """
    difference = comparison.difference
    because = f"Changed: {', '.join(changed)}. {str(comparison).capitalize()}."
    if comparison.rows < MIN_ROWS:
        return ReleaseDecision(
            False,
            f"Too few rows to compare ({comparison.rows}, at least {MIN_ROWS}), champion stays. "
            f"{because}",
        )
    if difference.value >= 0:
        return ReleaseDecision(True, f"At least as good, released. {because}")
    if difference.low >= -max_loss:
        return ReleaseDecision(
            True, f"Not worse by more than {100 * max_loss:g} points, released. {because}"
        )
    if difference.high < 0:
        return ReleaseDecision(False, f"Worse, champion stays. {because}")
    return ReleaseDecision(False, f"Perhaps worse (inconclusive), champion stays. {because}")
