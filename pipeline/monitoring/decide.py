"""Decides whether a new model may take the champion's place.

The new model is measured against every model of the *guard* on the same rows, which none of them
was trained on. The guard is the model that a person released last, and what retrains have released
since; a model leaves it when a later one is shown to be better. So quality cannot slide: whatever
took over in between, a new model is measured against the best of them.

There are two ways to pass. Both ask that the new model is no more than `MARGIN` worse:

- it is *shown*, against each model of the guard, with an error of one in 100,000 a look (`SURE`).
  Weekly looks over ten years together err in one of 200;
- it is *likely*, with an error of one in five (`LIKELY`), and the guard is the champion alone. That
  spends the loss budget: the guard has two models then, and the next one has to be shown.

A few hundred rows show little, so a product that has no more gets one new model by itself, and
then waits for more rows, for a large gain, or for a person who vouches for the champion. The reason
says how much these rows can see. docs/adr/0028 has the figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from scipy import stats

from pipeline.metrics.intervals import Interval

MARGIN = 0.01
"""How much worse than any model of the guard a new one may be."""
LIKELY = 0.2
"""How often a model that is worse by the margin passes while the loss budget is there."""
SURE = 1e-5
"""How often it passes when the budget is spent, and how often a model is wrongly called better."""
GAIN = 0.02
"""The gain for which a reason says how often it is seen."""
_NORMAL, _POWER = NormalDist(), 0.8
_MOST_GUARDED = 5


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The quality of a new model and of one of the guard on rows that neither trained on.

    Attributes:
        against: hash of the guard's model.
        former: its quality; `candidate`: that of the new one.
        difference: new minus former, with its paired interval.
        error: standard error of the difference.
    """

    against: str
    rows: int
    former: float
    candidate: float
    difference: Interval
    error: float
    metric: str

    def least(self, rate: float) -> float:
        """The difference that is surpassed in truth, but for this share of samples."""
        return self.difference.value - _quantile(rate, self.rows) * self.spread

    @property
    def spread(self) -> float:
        """The standard error, as if one more row differed: few rows may agree by chance."""
        return math.hypot(self.error, 1 / self.rows)

    def chance(self, gain: float, rate: float) -> float:
        """How often a model with this true gain passes at an error of `rate` on such rows."""
        return _NORMAL.cdf((gain + MARGIN) / self.spread - _quantile(rate, self.rows))

    def rows_for(self, gain: float, rate: float) -> int:
        """How many such rows would let a model with this true gain pass in four of five cases."""
        needed = (gain + MARGIN) / (_NORMAL.inv_cdf(1 - rate) + _NORMAL.inv_cdf(_POWER))
        return math.ceil(self.rows * (self.spread / needed) ** 2)

    def __str__(self) -> str:
        low, high = 100 * self.difference.low, 100 * self.difference.high
        return (
            f"{self.metric} {self.candidate:.4f} against {self.former:.4f} of {self.against[:12]} "
            f"on the same {self.rows} rows: {100 * self.difference.value:+.2f} points "
            f"({low:+.2f} to {high:+.2f})"
        )


@dataclass(frozen=True, kw_only=True)
class ReleaseDecision:
    """Whether to release, why, and the guard from then on, as hashes.

    The guard after a release lacks the new model itself, whose hash the decision does not know.
    """

    release: bool
    reason: str
    guard: tuple[str, ...] = ()


def decide(comparisons: Sequence[Comparison], *, changed: Sequence[str]) -> ReleaseDecision:
    """Whether to release.

    Args:
        comparisons: with each model of the guard, the champion last.
        changed: what differs from the champion's build, as a part of the reason.
    """
    shown = all(one.least(SURE) >= -MARGIN for one in comparisons)
    alone = len(comparisons) == 1
    likely = alone and comparisons[0].least(LIKELY) >= -MARGIN
    better = [one for one in comparisons if one.least(SURE) > 0]
    guard = _kept([one for one in comparisons if one not in better]) if shown or likely else ()
    if shown or likely:
        why = f"{_passed(shown, better, comparisons)}, released"
    else:
        why = f"{_stopped(comparisons)}, champion stays"
    told = f"Changed: {', '.join(changed)}. {_measured(comparisons)}. {_power(comparisons)}"
    return ReleaseDecision(release=shown or likely, reason=f"{why}. {told}", guard=guard)


def _kept(guard: Sequence[Comparison]) -> tuple[str, ...]:
    """The guard without those that measure lowest, where many are equal and none is shown better."""
    best = sorted(guard, key=lambda one: one.former, reverse=True)[:_MOST_GUARDED]
    return tuple(one.against for one in guard if one in best)


def _passed(shown: bool, better: Sequence[Comparison], comparisons: Sequence[Comparison]) -> str:
    if len(better) == len(comparisons):
        return "Shown to be better"
    if shown:
        return f"Shown to be no more than {_points(MARGIN)} worse"
    return f"Likely no more than {_points(MARGIN)} worse (the loss budget is spent by this)"


def _stopped(comparisons: Sequence[Comparison]) -> str:
    if any(one.difference.high < 0 for one in comparisons):
        return "Worse"
    if len(comparisons) == 1:
        return f"Not likely enough to be no more than {_points(MARGIN)} worse"
    return f"The loss budget is spent, and not shown to be no more than {_points(MARGIN)} worse"


def _measured(comparisons: Sequence[Comparison]) -> str:
    text = "; ".join(map(str, comparisons))
    return f"{text[:1].upper()}{text[1:]}"


def _power(comparisons: Sequence[Comparison]) -> str:
    """Says how often a worse and a better model pass on such rows, and how many rows to ask for."""
    rate = LIKELY if len(comparisons) == 1 else SURE
    one = max(comparisons, key=lambda each: each.spread)
    if not math.isfinite(one.spread):
        return "The figures could not be computed on these rows."
    worse, seen = one.chance(-MARGIN, rate), one.chance(GAIN, rate)
    needed = one.rows_for(GAIN, rate)
    more = "" if needed <= one.rows else f"; {needed:,} rows would let it in 80 %"
    return (
        f"On such rows a model truly {_points(MARGIN)} worse passes in {_share(worse)}, one "
        f"{_points(GAIN)} better in {_share(seen)}{more}."
    )


def _points(value: float) -> str:
    return f"{100 * value:g} point{'' if value == MARGIN else 's'}"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.01 else f"{100 * value:.2g} %"


@lru_cache(maxsize=4096)
def _quantile(rate: float, rows: int) -> float:
    """How many standard errors are surpassed at this rate; more of them where rows are few."""
    return float(stats.t.isf(rate, max(rows - 1, 1)))
