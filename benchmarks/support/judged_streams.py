"""Simulated trials of a candidate: many streams of requests at once, by the judge's own arithmetic."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pipeline.judge.evidence import Counts
from pipeline.judge.judgement import LOOK_EVERY, JudgeLimits, Outcome, promotes, reached
from pipeline.judge.pairs import STREAMS, sign_of_less_sure, sign_of_slower

_SPIKES, _SPIKE_FACTOR = 0.02, 5.0
_UNSURE = 0.04


@dataclass(frozen=True, kw_only=True)
class World:
    """How two models answer requests.

    Attributes:
        failures: share of the requests that the champion fails; `more_failures`: points above it of the
            candidate's.
        noise: standard deviation of a time's logarithm; one time in fifty is five times as long.
        times: how many times as long the candidate takes.
        other_labels: share of the requests that get another label.
        less_sure: how much lower the candidate's probability is, on average.
    """

    failures: float
    noise: float
    other_labels: float
    more_failures: float = 0.0
    times: float = 1.0
    less_sure: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of candidate.

    Attributes:
        make: the world with such a candidate, from one in which both models are equal.
        right: the verdict that it should get.
        alone: whether only the other, wrong verdict ends its trials, so that none escapes an error.
    """

    make: Callable[[World], World]
    right: Outcome
    alone: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "equal, only alarms count": Kind(make=lambda w: w, right="promote", alone=True),
        "equal": Kind(make=lambda w: w, right="promote"),
        "few errors and other labels": Kind(
            make=lambda w: replace(w, failures=w.failures / 10, other_labels=w.other_labels / 4),
            right="promote",
        ),
        "2 times the latency": Kind(make=lambda w: replace(w, times=2.0), right="roll back"),
        "1.5 times the latency": Kind(make=lambda w: replace(w, times=1.5), right="roll back"),
        "2 points more errors": Kind(
            make=lambda w: replace(w, more_failures=0.02), right="roll back"
        ),
        "1 point more errors": Kind(
            make=lambda w: replace(w, more_failures=0.01), right="roll back"
        ),
        "1 point, only promotions count": Kind(
            make=lambda w: replace(w, more_failures=0.01), right="roll back", alone=True
        ),
        "3 points more other labels": Kind(
            make=lambda w: replace(w, other_labels=w.other_labels + 0.03), right="roll back"
        ),
        "less sure by 0.1": Kind(make=lambda w: replace(w, less_sure=0.1), right="roll back"),
    }
)
"""Name → kind of candidate, in the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The outcomes of simulations, and after how many requests each fell, both `(simulations,)`."""

    outcomes: npt.NDArray[np.str_]
    requests: npt.NDArray[np.int64]

    def share(self, outcome: Outcome) -> float:
        """The share of the simulations with that outcome."""
        return float((self.outcomes == outcome).mean())

    def within(self, outcome: Outcome, share: float) -> int | None:
        """The requests within which that share had the outcome; None where fewer ever had it."""
        found = np.sort(self.requests[self.outcomes == outcome])
        place = int(np.ceil(share * len(self.outcomes))) - 1
        return int(found[place]) if place < len(found) else None


def simulate(
    world: World,
    *,
    limits: JudgeLimits,
    simulations: int,
    requests: int,
    seed: int,
    verdicts: Collection[Outcome] = ("roll back", "promote"),
) -> Tally:
    """Runs trials until each has a verdict, or as many requests have come.

    Args:
        verdicts: those that end a trial. With one alone, no trial escapes it by ending early.
    """
    generator = np.random.default_rng(seed)
    counts: Counts = np.zeros((simulations, len(STREAMS), 3), dtype=np.int64)
    outcomes = np.full(simulations, "undecided", dtype="<U9")
    ended = np.full(simulations, requests, dtype=np.int64)
    for seen in range(LOOK_EVERY, requests + 1, LOOK_EVERY):
        waiting = np.flatnonzero(outcomes == "undecided")
        if not len(waiting):
            break
        counts[waiting] += counted(world, generator, simulations=len(waiting))
        alarms, shown = reached(counts[waiting], limits)
        back = alarms.any(axis=-1) & ("roll back" in verdicts)
        forward = promotes(counts[waiting], shown) & ~back & ("promote" in verdicts)
        outcomes[waiting[back]], outcomes[waiting[forward]] = "roll back", "promote"
        ended[waiting[back | forward]] = seen
    return Tally(outcomes=outcomes, requests=ended)


def counted(world: World, generator: np.random.Generator, *, simulations: int) -> Counts:
    """Outcomes of the next `LOOK_EVERY` requests of each simulation, `(simulations, streams, 3)`."""
    shape = (simulations, LOOK_EVERY)
    failed = generator.random(shape) < world.failures
    candidate_failed = generator.random(shape) < world.failures + world.more_failures
    signs = [
        candidate_failed.astype(np.int64) - failed,
        sign_of_slower(
            _times(world, generator, shape), world.times * _times(world, generator, shape)
        ),
        (generator.random(shape) < world.other_labels).astype(np.int64),
        sign_of_less_sure(0.0, generator.normal(-world.less_sure, _UNSURE, shape)),
    ]
    compared = ~(failed | candidate_failed)
    return np.stack(
        [
            np.stack([((sign == value) & used).sum(axis=1) for value in (1, 0, -1)], axis=-1)
            for sign, used in zip(
                signs, [np.ones(shape, dtype=bool), compared, compared, compared], strict=True
            )
        ],
        axis=1,
    )


def _times(
    world: World, generator: np.random.Generator, shape: tuple[int, int]
) -> npt.NDArray[np.float64]:
    times = np.exp(generator.normal(0.0, world.noise, shape))
    spiked = np.where(generator.random(shape) < _SPIKES, _SPIKE_FACTOR, 1.0)
    return np.asarray(times * spiked)
