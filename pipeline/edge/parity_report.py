"""Counts how a browser compares with Python, and says it as figures and in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.edge.model_files import scores_of, texts_of
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request

LEAST_LABELS = 0.995
"""Share of answers that must be the same: int8 is rounded otherwise on another processor."""
_SHOWN = 5


@dataclass(frozen=True)
class Answered:
    """One side's reading of a request: token ids of each row, and its answer; None where it refuses it."""

    rows: list[list[int]] | None
    answer: Prediction | None
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How many of some requests both sides read and answered alike.

    Attributes:
        ids: requests with the same token ids in the same rows, or refused by both.
        answered: requests that both answered; `labels`: those of them with the same answer.
        largest_difference: of a probability or of the number, among requests with the same ids.
        apart: the first texts whose ids differ.
    """

    requests: int
    ids: int
    answered: int
    labels: int
    largest_difference: float
    apart: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """All that a comparison found.

    Attributes:
        golden: how many of the bundle's golden answers the browser gives, and how many there are.
        milliseconds: of one answer to a text of `timed_tokens` tokens, from text to label, sorted.
        started_ms: from the worker's start to the first answer.
    """

    sentences: Compared
    hostile: Compared
    golden: tuple[int, int]
    timed_tokens: int
    milliseconds: tuple[float, ...]
    started_ms: float
    browser: str

    @property
    def passed(self) -> bool:
        """Whether all token ids and golden answers are the same, and of the others enough."""
        parts = (self.sentences, self.hostile)
        labels, answered = sum(part.labels for part in parts), sum(part.answered for part in parts)
        same_ids = all(part.ids == part.requests for part in parts)
        same_golden = self.golden[0] == self.golden[1]
        return same_ids and same_golden and labels >= LEAST_LABELS * answered

    def share(self, of_all: float) -> float:
        """The time that this share of the answers takes at most, in milliseconds."""
        return self.milliseconds[
            min(int(of_all * len(self.milliseconds)), len(self.milliseconds) - 1)
        ]

    def as_dict(self) -> dict[str, Any]:
        """For parity.json."""
        return {
            "checked": True,
            "passed": self.passed,
            "sentences": asdict(self.sentences),
            "hostile": asdict(self.hostile),
            "golden": {"right": self.golden[0], "of": self.golden[1]},
            "milliseconds": {
                "p50": self.share(0.5),
                "p95": self.share(0.95),
                "tokens": self.timed_tokens,
                "answers": len(self.milliseconds),
            },
            "started_ms": self.started_ms,
            "browser": self.browser,
        }

    def lines(self) -> list[str]:
        """The findings for a person."""
        named = (("sentences", self.sentences), ("hostile", self.hostile))
        return [
            *(
                f"{name:<10} token ids {part.ids:,} of {part.requests:,}   "
                f"answers {part.labels:,} of {part.answered:,}   "
                f"largest difference {part.largest_difference:.4f}"
                for name, part in named
            ),
            f"golden     {self.golden[0]} of {self.golden[1]}",
            f"time       {self.share(0.5):.2f} ms at {self.timed_tokens} tokens "
            f"(95 %: {self.share(0.95):.2f}), started in {self.started_ms:.0f} ms",
        ]


def compared(
    requests: Sequence[Request],
    ours: Sequence[Answered],
    theirs: Sequence[Answered],
    *,
    tolerance: float,
) -> Compared:
    """Compares both sides' answers to some requests, in order.

    Args:
        tolerance: within which two numbers are one answer.
    """
    ids = labels = answered = 0
    largest = 0.0
    apart: list[tuple[str, ...]] = []
    for request, own, other in zip(requests, ours, theirs, strict=True):
        alike = (own.rows, own.truncated) == (other.rows, other.truncated)
        ids += alike
        if not alike and len(apart) < _SHOWN:
            apart.append(tuple(texts_of(request)))
        if own.answer is None or other.answer is None:
            continue
        answered += 1
        difference = _difference(own.answer, other.answer)
        labels += _is_same(own.answer, other.answer, difference, tolerance)
        largest = max(largest, difference) if alike else largest
    return Compared(
        requests=len(requests),
        ids=ids,
        answered=answered,
        labels=labels,
        largest_difference=largest,
        apart=tuple(apart),
    )


def _difference(own: Prediction, other: Prediction) -> float:
    pairs = zip(scores_of(own), scores_of(other), strict=True)
    return max((abs(one - two) for one, two in pairs), default=0.0)


def _is_same(own: Prediction, other: Prediction, difference: float, tolerance: float) -> bool:
    if own.value is not None:
        return difference <= tolerance
    return (own.label, own.labels, own.abstained) == (other.label, other.labels, other.abstained)
