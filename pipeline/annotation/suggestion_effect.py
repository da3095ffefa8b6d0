"""Measures what suggestions do to people's answers: how far they pull them, how many errors they bring, what time they save.

Whether a person sees a suggestion is decided by chance for each row, so the two arms differ in nothing else. People
and the server look at the figures again and again while labels come, and a usual 95 % interval would then be wrong
far more often than in 5 % of cases. The intervals of shares here hold at every look at once: asymptotic confidence
sequences (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory and asymptotic
confidence sequences", equation 8).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.annotation.events import Kept

LIMIT = 0.01
"""Bias, as a share of the labels, above which suggestions are turned off once it is certain."""
_ALPHA = 0.05
_NARROWEST_AT = 2000
"""Labels at which the intervals are narrowest, compared with those that need to hold once."""
_LEAST_IN_ARM = 50
"""Labels of an arm from which there are figures: the intervals rest on the central limit theorem."""
_STRATA = 5
_LEAST_IN_STRATUM = 10
_NORMAL = 1.96

Verdict = Literal["turn off", "keep", "not known yet"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmVote:
    """A label that a person gave to a row for which a model had an answer.

    Attributes:
        shown: whether the person saw that answer before.
        agrees: whether the label is the model's.
        p: the model's probability of its answer, 0 to 1.
        seconds: for how long the row was in sight; None where that is not known.
        wrong: whether it differs from an adjudicated label or, without one, from another person's who saw no
            suggestion; None where there is neither.
    """

    shown: bool
    agrees: bool
    p: float
    seconds: float | None = None
    wrong: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SuggestionEffect:
    """The effect of suggestions, shown against hidden.

    Attributes:
        shown: labels given with a suggestion in sight.
        hidden: labels given while there was one that was not shown.
        agreement: share of labels equal to the suggestion, shown minus hidden; None while there are few labels.
        error: share of wrong labels, shown minus hidden, on rows with an adjudicated label or another person's.
        time_ratio: median seconds a label, shown / hidden; its interval holds for one look.
        limit: share of the labels that suggestions may move.
        verdict: `turn off` where the interval of agreement or error is above the limit, `keep` where that
            of agreement is below it.
    """

    shown: int
    hidden: int
    agreement: Estimate | None
    error: Estimate | None
    time_ratio: Estimate | None
    limit: float
    verdict: Verdict


def suggestion_effect(votes: Sequence[ArmVote], *, limit: float = LIMIT) -> SuggestionEffect:
    """Compares labels given with a suggestion in sight with those given without.

    Shares are compared within fifths of the model's probability, which makes the interval narrower: people agree
    more with what is plain.
    """
    shown = np.array([vote.shown for vote in votes], dtype=np.bool_)
    p = np.array([vote.p for vote in votes], dtype=np.float64)
    agrees = np.array([vote.agrees for vote in votes], dtype=np.float64)
    judged = np.array([vote.wrong is not None for vote in votes], dtype=np.bool_)
    wrong = np.array([vote.wrong or False for vote in votes], dtype=np.float64)
    agreement = _difference(agrees, shown, p)
    error = _difference(wrong[judged], shown[judged], p[judged])
    return SuggestionEffect(
        shown=int(shown.sum()),
        hidden=int((~shown).sum()),
        agreement=agreement,
        error=error,
        time_ratio=_time_ratio(votes),
        limit=limit,
        verdict=_verdict(agreement, error, limit),
    )


def arm_votes(people: Mapping[str, Iterable[Kept]]) -> list[ArmVote]:
    """Takes from each person's last answers the labels of rows for which a model had an answer.

    Args:
        people: published name → the last answer to each row.
    """
    answers = {name: [kept for kept in given if _is_label(kept)] for name, given in people.items()}
    settled: dict[str, tuple[str, ...]] = {}
    blind: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, given in answers.items():
        for kept in given:
            event = kept.event
            if event.event == "adjudicate":
                settled[event.row] = event.labels
            elif event.arm != "shown":
                blind.setdefault(event.row, {})[name] = event.labels
    return [
        _arm_vote(kept, settled.get(kept.event.row, _of_others(blind, kept.event.row, name)))
        for name, given in answers.items()
        for kept in given
        if kept.event.event == "vote" and kept.event.arm and kept.event.suggestion
    ]


def _is_label(kept: Kept) -> bool:
    return kept.event.event in ("vote", "adjudicate") and bool(kept.event.labels)


def _of_others(
    blind: Mapping[str, Mapping[str, tuple[str, ...]]], row: str, person: str
) -> tuple[str, ...] | None:
    """The labels that another person gave without a suggestion in sight; None where nobody did."""
    given = blind.get(row, {})
    return next((given[name] for name in sorted(given) if name != person), None)


def _arm_vote(kept: Kept, reference: tuple[str, ...] | None) -> ArmVote:
    event, suggested = kept.event, kept.event.suggestion
    return ArmVote(
        shown=event.arm == "shown",
        agrees=suggested is not None and event.labels == (suggested.label,),
        p=suggested.p if suggested else 0.0,
        seconds=event.seconds,
        wrong=None if reference is None else {*event.labels} != {*reference},
    )


def _difference(values: Floats, shown: Bools, p: Floats) -> Estimate | None:
    """Mean of the values, shown minus hidden, with an interval that holds at every look."""
    if min(int(shown.sum()), int((~shown).sum())) < _LEAST_IN_ARM:
        return None
    difference, variance = _within_strata(values, shown, _strata(p, shown))
    reach = math.sqrt(variance) * _radius(len(values))
    return Estimate(value=difference, low=difference - reach, high=difference + reach)


def _strata(p: Floats, shown: Bools) -> NDArray[np.int64]:
    """The fifth of each probability; all in one where a fifth has few labels of an arm."""
    edges = np.quantile(p, np.linspace(0, 1, _STRATA + 1)[1:-1])
    found = np.searchsorted(edges, p, side="right")
    counts = [np.bincount(found[arm], minlength=_STRATA) for arm in (shown, ~shown)]
    occurring = np.bincount(found, minlength=_STRATA) > 0
    few = any((count[occurring] < _LEAST_IN_STRATUM).any() for count in counts)
    return np.zeros(len(p), dtype=np.int64) if few else found


def _within_strata(values: Floats, shown: Bools, strata: NDArray[np.int64]) -> tuple[float, float]:
    """The difference of means within strata, weighted by their size, and its variance."""
    difference = variance = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        weight, arms = float(inside.mean()), (values[inside & shown], values[inside & ~shown])
        difference += weight * float(arms[0].mean() - arms[1].mean())
        # One right and one wrong label more in each arm: a share of 0 or 1 has a variance, too.
        variance += weight**2 * sum(_variance(arm) / len(arm) for arm in arms)
    return difference, variance


def _variance(arm: Floats) -> float:
    share = (float(arm.sum()) + 1) / (len(arm) + 2)
    return share * (1 - share)


def _radius(count: int) -> float:
    """Standard errors from the value to each end of a 95 % interval that holds at every count of labels."""
    spread = count * _best() / _NARROWEST_AT
    return math.sqrt(_squared(spread))


def _squared(spread: float) -> float:
    return (spread + 1) / spread * (math.log(spread + 1) + 2 * math.log(1 / _ALPHA))


def _best() -> float:
    """The spread at which the radius is smallest, a zero of its derivative, by fixed-point iteration."""
    spread = 1.0
    for _ in range(60):
        spread = math.log(spread + 1) + 2 * math.log(1 / _ALPHA)
    return spread


def _time_ratio(votes: Sequence[ArmVote]) -> Estimate | None:
    """Median seconds, shown / hidden; the medians' standard errors are those of McKean and Schrader (1984)."""
    arms = [
        np.sort([vote.seconds for vote in votes if vote.seconds and vote.shown == shown])
        for shown in (True, False)
    ]
    if min(map(len, arms)) < _LEAST_IN_ARM:
        return None
    logs = [np.log(arm) for arm in arms]
    value = float(np.median(logs[0]) - np.median(logs[1]))
    reach = _NORMAL * math.hypot(*(_median_error(log) for log in logs))
    return Estimate(
        value=math.exp(value), low=math.exp(value - reach), high=math.exp(value + reach)
    )


def _median_error(ordered: Floats) -> float:
    """Standard error of the median of numbers in ascending order."""
    below = max(round((len(ordered) + 1) / 2 - _NORMAL * math.sqrt(len(ordered) / 4)), 1)
    return float(ordered[len(ordered) - below] - ordered[below - 1]) / (2 * _NORMAL)


def _verdict(agreement: Estimate | None, error: Estimate | None, limit: float) -> Verdict:
    if any(found is not None and found.low > limit for found in (agreement, error)):
        return "turn off"
    return "keep" if agreement is not None and agreement.high <= limit else "not known yet"
