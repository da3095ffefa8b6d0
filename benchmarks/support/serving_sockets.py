"""The part `sockets`: 900 silent connections and 200 of a byte a second, while others are to be served."""

import asyncio

from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import open_loop, run_load
from benchmarks.support.load_figures import (
    Answers,
    Bar,
    Outcome,
    Times,
    percentile,
    steady_arrivals,
)
from benchmarks.support.rude_clients import Held, hold_open
from benchmarks.support.serving_field import (
    OURS,
    Conditions,
    capacity,
    medians,
    our_server,
    paced,
    place_of,
    tell_faults,
)

_SILENT, _SLOW = 900, 200
_SHARE = 0.2
_HELD_SECONDS = 15.0
_CONNECTIONS = 32
_BARS = {"p99_ratio": 2.0, "closed_after_most_s": 10.0, "still_open": 0.0, "failed": 0.0}


def measure(conditions: Conditions) -> Outcome:
    """The 99th percentile of others' times over that without the sockets, and when all were closed."""
    found = medians([_round(conditions, number) for number in range(conditions.rounds)])
    bars = [Bar(name=name, value=found[name], limit=limit) for name, limit in _BARS.items()]
    return Outcome(figures=found, bars=bars)


def _round(conditions: Conditions, number: int) -> dict[str, float]:
    requests = OURS.requests(conditions.traffic.mixed)
    with our_server(conditions) as server:
        place = place_of(server)
        rate = _SHARE * capacity(place, requests, seconds=conditions.seconds)
        alone = paced(place, requests, rate=rate, seconds=conditions.seconds, seed=number)
        due = steady_arrivals(rate, _HELD_SECONDS - 1, seed=number)
        answers, held = run_load(_beside(place, requests, due=due))
    tell_faults(answers)
    print(f"round {number + 1}/{conditions.rounds}  {len(answers)} requests of others", flush=True)
    before, beside = (percentile(one.milliseconds, 99) for one in (alone, answers))
    return {
        "p99_ms": beside,
        "p99_alone_ms": before,
        "p99_ratio": beside / before,
        "failed": float(answers.failed),
        "closed_after_most_s": max(held.closed_after, default=float("inf")),
        "still_open": float(held.still_open),
        "refused": float(held.refused),
    }


async def _beside(place: Place, requests: list[bytes], *, due: Times) -> tuple[Answers, Held]:
    """Answers of clients that come once all the sockets are open, and what became of those."""
    opened = asyncio.Event()

    async def others() -> Answers:
        await opened.wait()
        return await open_loop(place, requests, due=due, connections=_CONNECTIONS)

    slow = [requests[number % len(requests)] for number in range(_SLOW)]
    held = hold_open(place, silent=_SILENT, slow=slow, seconds=_HELD_SECONDS, opened=opened)
    return await asyncio.gather(others(), held)
