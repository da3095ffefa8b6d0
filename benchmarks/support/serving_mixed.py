"""The part `mixed`: single texts beside large requests, shortest first against first come, first served."""

import asyncio

from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import closed_loop, open_loop, run_load
from benchmarks.support.load_figures import (
    Answers,
    Bar,
    Outcome,
    Times,
    a_second,
    percentile,
    steady_arrivals,
)
from benchmarks.support.serving_field import (
    OPEN_CONNECTIONS,
    OURS,
    Conditions,
    capacity,
    closed,
    has_option,
    medians,
    our_server,
    place_of,
    tell_faults,
)
from benchmarks.support.traffic import large_requests

_SHARE = 0.2
_LARGE_CLIENTS = 2
_BARS = {"single_p99_ms": 5.0, "longest_wait_ms": 2000.0}
_VS_FIFO, _LARGE_KEPT = 0.2, 0.8
_ORDER = "--order"


def measure(conditions: Conditions) -> Outcome:
    """Times of single texts at 20 % load beside two clients of 64 texts of 128 tokens, both orders.

    Large requests keep their part where they get as many answers as they do first come, first served.
    """
    if not has_option(_ORDER):
        alone = medians([_round(conditions, number) for number in range(conditions.rounds)])
        why = f"this server has no {_ORDER} arrival to compare with"
        return judged(alone, None, why=why)
    ours, fifo = [], []
    for number in range(conditions.rounds):
        ours.append(_round(conditions, number))
        rate = ours[-1]["single_per_s"]
        fifo.append(_round(conditions, number, _ORDER, "arrival", rate=rate))
    return judged(medians(ours), medians(fifo))


def judged(ours: dict[str, float], fifo: dict[str, float] | None, *, why: str = "") -> Outcome:
    """The outcome of our figures and those of first come, first served.

    Args:
        why: the latter are missing.
    """
    bars = [Bar(name=name, value=ours[name], limit=limit) for name, limit in _BARS.items()]
    if fifo is None:
        left_out = dict.fromkeys(("p99_vs_fifo", "large_share_of_fifo"), why)
        return Outcome(figures=ours, bars=bars, left_out=left_out)
    ratio = ours["single_p99_ms"] / fifo["single_p99_ms"]
    kept = ours["large_per_s"] / fifo["large_per_s"]
    return Outcome(
        figures={
            **ours,
            **{f"fifo_{name}": value for name, value in fifo.items()},
            "p99_vs_fifo": ratio,
            "large_share_of_fifo": kept,
        },
        ratios={"p99_vs_fifo": ratio},
        bars=[
            *bars,
            Bar(name="p99_vs_fifo", value=ratio, limit=_VS_FIFO),
            Bar(name="large_share_of_fifo", value=kept, limit=_LARGE_KEPT, at_least=True),
        ],
    )


def _round(
    conditions: Conditions, number: int, *options: str, rate: float | None = None
) -> dict[str, float]:
    """Figures of one server under the mixed load.

    Args:
        rate: single texts a second; None takes `_SHARE` of what this server can do.
    """
    seconds, singles = conditions.seconds, OURS.requests(conditions.traffic.mixed)
    large = large_requests(conditions.traffic.long)
    with our_server(conditions, *options) as server:
        place = place_of(server)
        rate = rate or _SHARE * capacity(place, singles, seconds=seconds)
        alone = a_second(closed(place, large, connections=_LARGE_CLIENTS, seconds=seconds))
        due = steady_arrivals(rate, seconds, seed=number)
        single, beside = run_load(_together(place, singles, large, due=due))
    for answers in (single, beside):
        tell_faults(answers)
    longest = max(percentile(single.milliseconds, 100), percentile(beside.milliseconds, 100))
    print(
        f"round {number + 1}/{conditions.rounds}  {' '.join(options) or 'as it comes'}", flush=True
    )
    return {
        "single_per_s": rate,
        "single_p50_ms": percentile(single.milliseconds, 50),
        "single_p99_ms": percentile(single.milliseconds, 99),
        "large_per_s": a_second(beside),
        "large_p99_ms": percentile(beside.milliseconds, 99),
        "large_share_of_alone": a_second(beside) / alone if alone else 0.0,
        "longest_wait_ms": longest,
        "failed": float(single.failed + beside.failed),
        "generator_late_p99_ms": percentile(single.late_milliseconds, 99),
    }


async def _together(
    place: Place, singles: list[bytes], large: list[bytes], *, due: Times
) -> tuple[Answers, Answers]:
    single, beside = await asyncio.gather(
        open_loop(place, singles, due=due, connections=OPEN_CONNECTIONS),
        closed_loop(place, large, connections=_LARGE_CLIENTS, seconds=float(due[-1])),
    )
    return single, beside
