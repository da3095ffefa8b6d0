"""From scores to answers: the one rule that evaluation and the runtime share, so that they cannot part.

`scores` is a NumPy array `(rows, outputs)` throughout; the core needs no NumPy for arithmetic on it.

- classification, no thresholds: the likeliest label. With thresholds, which sum to 1: the label whose
  probability is most times its threshold; for two labels, the second from its threshold on.
- multi_label: every label whose probability reaches its threshold, .5 where none are given.
- regression: the number.
- Confidence is the likeliest label's probability (classification), or the distance of the label that
  is nearest to its threshold (multi_label). Below `abstain_below` an answer counts as not given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# As pipeline.core.product spells them, which needs pydantic: the runtime goes without.
CLASSIFICATION, MULTI_LABEL, REGRESSION = "classification", "multi_label", "regression"
HALF = 0.5
Array = Any
"""A NumPy array."""


@dataclass(frozen=True)
class Decision:
    """How scores become answers.

    Attributes:
        thresholds: one a label, or None for the usual rule.
        abstain_below: least confidence of an answer that is given, or None where all are.
    """

    thresholds: tuple[float, ...] | None = None
    abstain_below: float | None = None

    @classmethod
    def of(cls, described: Mapping[str, Any] | None) -> "Decision":
        """What `as_dict` described; the usual rule for None, which older files hold."""
        if described is None:
            return cls()
        thresholds = described["thresholds"]
        return cls(None if thresholds is None else tuple(thresholds), described["abstain_below"])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        thresholds = None if self.thresholds is None else list(self.thresholds)
        return {"thresholds": thresholds, "abstain_below": self.abstain_below}

    def answers(self, problem: str, scores: Array) -> Array:
        """Label numbers `(rows,)`, which labels hold `(rows, labels)`, or numbers `(rows,)`."""
        if problem == REGRESSION:
            return scores[:, 0]
        if problem == MULTI_LABEL:
            return scores >= self._cuts
        return (scores if self.thresholds is None else scores / self.thresholds).argmax(axis=1)

    def confidence(self, problem: str, scores: Array) -> Array:
        """`(rows,)`; see the module's head. Regression has none.

        Raises:
            ValueError: a number has no confidence.
        """
        if problem == CLASSIFICATION:
            return scores.max(axis=1)
        if problem == MULTI_LABEL:
            return abs(scores - self._cuts).min(axis=1)
        raise ValueError("regression gives a number, and no confidence in it")

    def abstains(self, problem: str, scores: Array) -> Array:
        """Which rows are not answered, `(rows,)`."""
        if self.abstain_below is None:
            return scores[:, 0] != scores[:, 0]  # of none
        return self.confidence(problem, scores) < self.abstain_below

    @property
    def _cuts(self) -> Any:
        return HALF if self.thresholds is None else self.thresholds
