"""Judges a candidate by pairs of answers: promote, roll back, or undecided, however often it is asked.

Four streams of outcomes (`STREAMS`), each with two null hypotheses about its mean a request:

    alarm    the mean is at most `allowed`: each of the four is tested at a quarter of `false_alarm`, so
             a candidate that is within all four is *ever* rolled back with a chance of `false_alarm`
    worse    the mean is at least `allowed + margin`: each is tested at `false_promotion`, and all must
             fall, so a candidate that is outside one is *ever* promoted with no more than that chance

Silence is therefore no reason to promote. The mean of `other label` is the share of requests that get
another label; of the others, the share in which the candidate is worse less that in which the champion
is. A look comes every `LOOK_EVERY` pairs; the first verdict stands.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.judge.evidence import Counts, log_evidence, mirrored
from pipeline.judge.pairs import STREAMS, Pair

Outcome = Literal["promote", "roll back", "undecided"]
LOOK_EVERY = 50
"""Pairs from one look to the next, and before the first."""
MOST_PAIRS = 200_000
"""Pairs after which a judge that is still undecided stays so."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How much worse a candidate may be in one stream, as a mean of outcomes a request.

    Attributes:
        allowed: up to here the candidate counts as no worse.
        margin: from `allowed + margin` on it is not promoted.
    """

    allowed: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class JudgeLimits:
    """The limits of a judgement: chances of an error, and what may differ.

    Attributes:
        false_alarm: chance that a candidate within all allowances is ever rolled back.
        false_promotion: chance that a candidate outside one of them by its margin is ever promoted.
        error: requests that only the candidate fails, less those that only the champion does.
        slower: requests on which it takes over 1.5 times as long, less those where the champion does.
        other_label: requests that get another label; two models that both do well may differ.
        less_sure: requests on which it is less sure by .05, less those where the champion is.
    """

    false_alarm: float = 0.05
    false_promotion: float = 0.05
    error: Allowance = field(default_factory=lambda: Allowance(allowed=0.0, margin=0.01))
    slower: Allowance = field(default_factory=lambda: Allowance(allowed=0.05, margin=0.05))
    other_label: Allowance = field(default_factory=lambda: Allowance(allowed=0.02, margin=0.01))
    less_sure: Allowance = field(default_factory=lambda: Allowance(allowed=0.05, margin=0.05))

    @property
    def streams(self) -> tuple[Allowance, ...]:
        """The allowances by `STREAMS`."""
        return self.error, self.slower, self.other_label, self.less_sure


@dataclass(frozen=True, kw_only=True)
class StreamState:
    """One stream as it stands: means are of its `pairs`, None before the first.

    Attributes:
        alarm: share of the evidence that an alarm takes, 1 or more where it is reached.
        shown: the same of the evidence that it is no worse than by its margin.
    """

    name: str
    pairs: int
    worse: int
    better: int
    allowed: float
    margin: float
    alarm: float
    shown: float

    @property
    def mean(self) -> float | None:
        return (self.worse - self.better) / self.pairs if self.pairs else None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict after so many pairs; `decided_at` pairs it fell, None while it is undecided."""

    outcome: Outcome
    pairs: int
    decided_at: int | None
    because: tuple[str, ...]
    streams: tuple[StreamState, ...]


class Judge:
    """Takes pairs one after another and looks at them from time to time."""

    def __init__(self, limits: JudgeLimits) -> None:
        self._limits = limits
        self._counts = np.zeros((len(STREAMS), 3), dtype=np.int64)
        self._pairs = 0
        self._outcome: Outcome = "undecided"
        self._decided_at: int | None = None
        self._because: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether more pairs can change the verdict."""
        return self._outcome == "undecided" and self._pairs < MOST_PAIRS

    @property
    def outcome(self) -> Outcome:
        """The verdict, or that there is none yet."""
        return self._outcome

    def take(self, pair: Pair) -> None:
        """Counts a pair and looks if it is time to; after the verdict it changes nothing."""
        if not self.open:
            return
        self._pairs += 1
        for stream, outcome in enumerate(pair.outcomes()):
            if outcome is not None:
                self._counts[stream, 1 - outcome] += 1
        if self._pairs % LOOK_EVERY == 0:
            self._look()

    def judgement(self) -> Judgement:
        """The verdict and how it stands in each stream."""
        return Judgement(
            outcome=self._outcome,
            pairs=self._pairs,
            decided_at=self._decided_at,
            because=self._because,
            streams=tuple(self._states()),
        )

    def _look(self) -> None:
        alarms, shown = reached(self._counts, self._limits)
        if alarms.any():
            self._decide("roll back", alarms)
        elif promotes(self._counts, shown):
            self._decide("promote", shown)

    def _decide(self, outcome: Outcome, streams: npt.NDArray[np.bool_]) -> None:
        self._outcome, self._decided_at = outcome, self._pairs
        self._because = tuple(name for name, so in zip(STREAMS, streams, strict=True) if so)

    def _states(self) -> list[StreamState]:
        alarms, shown = weights(self._counts, self._limits)
        return [
            StreamState(
                name=name,
                pairs=int(self._counts[number].sum()),
                worse=int(self._counts[number, 0]),
                better=int(self._counts[number, 2]),
                allowed=allowance.allowed,
                margin=allowance.margin,
                alarm=max(0.0, round(float(alarms[number]), 3)),
                shown=max(0.0, round(float(shown[number]), 3)),
            )
            for number, (name, allowance) in enumerate(
                zip(STREAMS, self._limits.streams, strict=True)
            )
        ]


def weights(
    counts: Counts, limits: JudgeLimits
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Evidence for an alarm and for "no worse", as shares of what a verdict takes, `(..., streams)`.

    Args:
        counts: outcomes of 1, 0 and -1, `(..., streams, 3)`.
    """
    alarm_at = -math.log(limits.false_alarm / len(STREAMS))
    shown_at = -math.log(limits.false_promotion)
    alarms = [
        log_evidence(counts[..., number, :], mean=allowance.allowed) / alarm_at
        for number, allowance in enumerate(limits.streams)
    ]
    shown = [
        log_evidence(mirrored(counts[..., number, :]), mean=-(allowance.allowed + allowance.margin))
        / shown_at
        for number, allowance in enumerate(limits.streams)
    ]
    return np.stack(alarms, axis=-1), np.stack(shown, axis=-1)


def reached(
    counts: Counts, limits: JudgeLimits
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each stream raises the alarm, and whether it is shown to be no worse, `(..., streams)`."""
    alarms, shown = weights(counts, limits)
    return alarms >= 1, shown >= 1


def promotes(counts: Counts, shown: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether every stream is shown to be no worse, `(...)`; one that a model does not have is left out.

    Only a model that answers with a number lacks one: it never says how sure it is.
    """
    unsure = STREAMS.index("less sure")
    without = ~counts[..., unsure, :].any(axis=-1)
    others = np.delete(shown, unsure, axis=-1).all(axis=-1)
    found: npt.NDArray[np.bool_] = others & (shown[..., unsure] | without)
    return found


def judged(pairs: Sequence[Pair], limits: JudgeLimits) -> Judgement:
    """The judgement of pairs in their order."""
    judge = Judge(limits)
    for pair in pairs:
        judge.take(pair)
    return judge.judgement()
