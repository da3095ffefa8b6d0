"""Time of single requests, measured so that a busy machine disturbs it little.

The variants take turns in rounds, so that a slow minute hits all of them alike. The 95th percentile
of a variant is the median of the rounds' 95th percentiles: one disturbed round does not move it,
but a model that is slow in every round shows. The percentile of all requests together is reported
beside it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Request = Callable[[], object]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one request.

    Attributes:
        p50: median over rounds of the round's median.
        p95: median over rounds of the round's 95th percentile.
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
        p50=float(np.median(middle)),
        p95=float(np.median(high)),
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
        warm_up: requests before each variant's turn in a round that are not counted: its weights
            have left the cache while the others ran.
        progress: called after each turn with the number of turns done.
        counts: called after each round; where it is false, the round is measured again.
    """
    times = {name: np.empty((rounds, requests_per_round)) for name in requests}
    number = 0
    while number < rounds:
        for turn, (name, request) in enumerate(requests.items(), start=1):
            for _ in range(warm_up):
                request()
            for i in range(requests_per_round):
                started = time.perf_counter_ns()
                request()
                times[name][number, i] = (time.perf_counter_ns() - started) / 1e6
            progress(number * len(requests) + turn)
        number += counts()
    return {name: summarise(values) for name, values in times.items()}
