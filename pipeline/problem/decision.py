"""The decision that turns scores into answers: thresholds, and how sure an answer must be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HALF = 0.5


@dataclass(frozen=True)
class Decision:
    """How a problem turns scores into `answers`. Evaluation and the runtime share it.

    Attributes:
        thresholds: one for each label, or None for the usual rule.
        abstain_below: an answer with less confidence is not given; None gives all.
    """

    thresholds: tuple[float, ...] | None = None
    abstain_below: float | None = None

    @classmethod
    def of(cls, described: Mapping[str, Any] | None) -> "Decision":
        """The decision from JSON; None, which older files have, is the usual rule."""
        if described is None:
            return cls()
        thresholds = described["thresholds"]
        return cls(None if thresholds is None else tuple(thresholds), described["abstain_below"])

    def as_dict(self) -> dict[str, Any]:
        """The decision for JSON."""
        thresholds = None if self.thresholds is None else list(self.thresholds)
        return {"thresholds": thresholds, "abstain_below": self.abstain_below}
