"""Time of single requests, measured so that a busy machine disturbs it little.

The variants take turns in rounds, so that a slow minute hits all of them alike. The 95th percentile
of a variant is the lower quartile of the rounds' 95th percentiles: what disturbs a round only adds time,
so the quieter rounds are nearer to the model's own; and a model that is slow in every round shows. The
percentile of all requests together is reported beside it. Requests that take little time are made more often: three of sixty, those above the 95th
percentile, are few enough to differ by a tenth from one measurement to the next.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Request = Callable[[], object]

_TURN_SECONDS = 0.05
"""A variant's turn takes about this long, where its requests are quick."""
_TRIALS = 5
"""Requests that are made first, to see how long one takes."""
_MOST_TIMES = 10
"""At most so many times the requests that were asked for."""
_OF_ROUNDS = 25
"""Percentile of the rounds that stands for all. On a shared host the median of 7 rounds moved by a tenth from
one measurement to the next, the lower quartile of 11 by a thirtieth (docs/log.md)."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one request.

    Attributes:
        p50: lower quartile over rounds of the round's median.
        p95: lower quartile over rounds of the round's 95th percentile.
        p95_all: 95th percentile of all requests together.
        mean: mean over all requests.
    """

    p50: float
    p95: float
    p95_all: float
    mean: float

    @property
    def throughput_per_s(self) -> float:
        """Requests a second, one after the other."""
        return 1000 / self.mean


def summarise(milliseconds: NDArray[np.float64]) -> Latency:
    """Figures of `(rounds, requests)` times."""
    middle, high = np.percentile(milliseconds, [50, 95], axis=1)
    return Latency(
        p50=float(np.percentile(middle, _OF_ROUNDS)),
        p95=float(np.percentile(high, _OF_ROUNDS)),
        p95_all=float(np.percentile(milliseconds, 95)),
        mean=float(milliseconds.mean()),
    )


def interleaved(
    requests: Mapping[str, Request],
    *,
    rounds: int,
    requests_per_round: int,
    warm_up: int,
    progress: Callable[[int], None],
    counts: Callable[[], bool] = lambda: True,
) -> dict[str, Latency]:
    """Time every request in turn, round by round.

    Args:
        requests: what to time, by name.
        requests_per_round: at least so many to each variant; up to ten times as many to quick ones.
        warm_up: requests before each variant's turn in a round that are not counted: its weights
            have left the cache while the others ran.
        progress: called after each turn with the number of turns done.
        counts: called after each round; where it is false, the round is measured again.
    """
    times = {
        name: np.empty((rounds, _count(request, least=requests_per_round)))
        for name, request in requests.items()
    }
    number = 0
    while number < rounds:
        for turn, (name, request) in enumerate(requests.items(), start=1):
            for _ in range(warm_up):
                request()
            for i in range(times[name].shape[1]):
                times[name][number, i] = 1000 * _seconds(request)
            progress(number * len(requests) + turn)
        number += counts()
    return {name: summarise(values) for name, values in times.items()}


def _count(request: Request, *, least: int) -> int:
    """How often to send a request in a turn, by the quickest of a few."""
    seconds = max(1e-9, min(_seconds(request) for _ in range(_TRIALS)))
    return max(least, min(round(_TURN_SECONDS / seconds), _MOST_TIMES * least))


def _seconds(request: Request) -> float:
    started = time.perf_counter_ns()
    request()
    return (time.perf_counter_ns() - started) / 1e9
