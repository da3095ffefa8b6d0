"""May a new model take the champion's place? One pure decision, in plain words.

Not worse means one of two things, both on the same validation rows:

- it is at least as good as the champion on them, or
- it is a little worse on them, but the interval of the difference shows that it loses no more than
  `MAX_LOSS`.

A smaller validation split gives a wider interval, so a seen loss passes only where there are rows
enough to show that it is small; and because the seen difference counts first, a row of retrains does
not slide downhill in steps that each look harmless. The gate's requirements hold in any case.
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
        metric: the figure of quality.
    """

    rows: int
    champion: float
    candidate: float
    difference: Interval
    metric: str

    def __str__(self) -> str:
        low, high = 100 * self.difference.low, 100 * self.difference.high
        return (
            f"{self.metric} {self.candidate:.4f} against the champion's {self.champion:.4f} on the same "
            f"{self.rows} rows: {100 * self.difference.value:+.2f} points ({low:+.2f} to {high:+.2f})"
        )


@dataclass(frozen=True)
class Decision:
    """Whether to release, and why."""

    release: bool
    reason: str


def decide(
    comparison: Comparison, *, changed: Sequence[str], max_loss: float = MAX_LOSS
) -> Decision:
    """Release or keep.

    Args:
        comparison: the two models on the same rows.
        changed: what differs from what the champion was built from, for the reason.
        max_loss: largest loss of quality that the interval may leave open.
    """
    difference = comparison.difference
    because = f"Changed: {', '.join(changed)}. {str(comparison).capitalize()}."
    if comparison.rows < MIN_ROWS:
        return Decision(
            False,
            f"Too few rows to compare ({comparison.rows}, at least {MIN_ROWS}), champion stays. "
            f"{because}",
        )
    if difference.value >= 0:
        return Decision(True, f"At least as good, released. {because}")
    if difference.low >= -max_loss:
        return Decision(
            True, f"Not worse by more than {100 * max_loss:g} points, released. {because}"
        )
    if difference.high < 0:
        return Decision(False, f"Worse, champion stays. {because}")
    return Decision(False, f"Perhaps worse (inconclusive), champion stays. {because}")
