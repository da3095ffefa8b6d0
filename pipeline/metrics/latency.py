"""Time of single requests, measured so that a busy machine disturbs it little.

The variants take turns in rounds, so that a slow minute hits all of them alike. A turn is cut into windows
of requests; the figures of a variant are those of its quietest windows, a tenth of all, by their medians. What
disturbs a window only adds time, so the quietest ones are nearest to the model's own; and a model that is
slow in every window shows. The percentile of all requests together is reported beside it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Request = Callable[[], object]

_TURN_SECONDS = 0.2
"""A variant's turn takes about this long, where its requests are quick."""
_TRIALS = 5
"""Requests that are made first, to see how long one takes."""
_MOST_WINDOWS = 15
"""A turn has at most so many windows."""
_QUIETEST = 0.1
"""Share of the windows that stands for all. On a shared host the 95th percentile of the quietest tenth moved by
4 % between measurements, the lower quartile of the windows' percentiles by 10 % (docs/log.md)."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one request.

    Attributes:
        p50: median of the requests in the quietest windows.
        p95: 95th percentile of these requests.
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
    """Figures of `(windows, requests)` times."""
    order = np.argsort(np.median(milliseconds, axis=1))
    quietest = milliseconds[order[: max(round(_QUIETEST * len(order)), 1)]]
    middle, high = np.percentile(quietest, [50, 95])
    return Latency(
        p50=float(middle),
        p95=float(high),
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
        requests_per_round: in a window; each variant has one window in a round, quick ones up to 15.
        warm_up: requests before each variant's turn in a round that are not counted: its weights
            have left the cache while the others ran.
        progress: called after each turn with the number of turns done.
        counts: called after each round; where it is false, the round is measured again.
    """
    times = {
        name: np.empty((rounds, _windows(request, requests_per_round) * requests_per_round))
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
    return {name: summarise(found.reshape(-1, requests_per_round)) for name, found in times.items()}


def _windows(request: Request, requests: int) -> int:
    """How many windows of so many requests a turn has, by the quickest of a few requests."""
    seconds = max(1e-9, min(_seconds(request) for _ in range(_TRIALS)))
    return max(1, min(round(_TURN_SECONDS / (seconds * requests)), _MOST_WINDOWS))


def _seconds(request: Request) -> float:
    started = time.perf_counter_ns()
    request()
    return (time.perf_counter_ns() - started) / 1e9
