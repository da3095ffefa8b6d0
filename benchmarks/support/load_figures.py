"""Answers to a load of requests: times from the moment each was due, failures, and the bars they must reach.

Pure functions. A request that was sent late, or never answered, counts from when it was due: a server that
stalls for a second is charged for all who would have come in that second, not for the one that waited
(the coordinated omission of closed loops).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
OK, BUSY, EXPIRED, UNANSWERED = 200, 503, 504, 0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The requests of one load in the order in which they were due; all arrays `(requests,)`.

    Attributes:
        due: when it should be sent, seconds from the beginning of the load.
        sent: when it was; NaN where it never was.
        done: when its answer was complete; NaN without one.
        status: of HTTP, or `UNANSWERED`.
        faults: how the first requests without an answer failed.
        kept: number of a request → its answer, head and body, where that was asked for.
    """

    due: Times
    sent: Times
    done: Times
    status: npt.NDArray[np.int64]
    faults: Sequence[str] = ()
    kept: Mapping[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.due)

    @property
    def milliseconds(self) -> Times:
        """From due to answered; infinite without an answer."""
        return _never_where_nan(1000 * (self.done - self.due))

    @property
    def accepted(self) -> Times:
        """Milliseconds of those that were answered with 200."""
        found: Times = self.milliseconds[self.status == OK]
        return found

    @property
    def refused(self) -> Times:
        """Milliseconds of those that were answered with 503."""
        found: Times = self.milliseconds[self.status == BUSY]
        return found

    @property
    def expired(self) -> int:
        """How many were taken, and answered with 504 once their time was over."""
        return int((self.status == EXPIRED).sum())

    @property
    def failed(self) -> int:
        """How many were not answered with 200."""
        return int((self.status != OK).sum())

    @property
    def late_milliseconds(self) -> Times:
        """How long after its time each was sent: the generator's own fault, or want of a connection."""
        return _never_where_nan(1000 * (self.sent - self.due))


def _never_where_nan(milliseconds: Times) -> Times:
    return np.where(np.isnan(milliseconds), math.inf, milliseconds)


def percentile(milliseconds: Times, percent: float) -> float:
    """The smallest of the times that at least `percent` % of them do not exceed; NaN of none."""
    if not len(milliseconds):
        return math.nan
    return float(np.quantile(milliseconds, percent / 100, method="inverted_cdf"))


def a_second(answers: Answers) -> float:
    """Requests answered with 200 a second, until the last answer came."""
    count = len(answers.accepted)
    return count / float(np.nanmax(answers.done)) if count else 0.0


def steady_arrivals(rate: float, seconds: float, *, seed: int) -> Times:
    """When requests come that know nothing of each other, `rate` a second on average: a Poisson process."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, size=math.ceil(rate * seconds))
    return np.cumsum(gaps)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A figure that must be reached: at most `limit`, or at least with `at_least`."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is; NaN reaches nothing."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        word = "reached" if self.reached else "MISSED"
        return f"{self.name:<38} {self.value:>10.4g}   bar {sign} {self.limit:g}   {word}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a part of the benchmark.

    Attributes:
        figures: name with its unit → value.
        ratios: those of `figures` that stand in the last line's `ratios`.
        left_out: what could not be measured → why.
    """

    figures: Mapping[str, float]
    ratios: Mapping[str, float] = field(default_factory=dict)
    bars: Sequence[Bar] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For JSON, which has no infinity: such a figure is null."""
        return {
            **{name: finite(value) for name, value in self.figures.items()},
            "bars": {
                bar.name: {
                    "value": finite(bar.value),
                    "at_least" if bar.at_least else "at_most": bar.limit,
                    "reached": bar.reached,
                }
                for bar in self.bars
            },
            "left_out": dict(self.left_out),
        }


def finite(value: float) -> float | None:
    """The value to six digits; None where it is no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
