"""The part `overload`: five times what the server can do comes, and each request has 100 ms."""

import asyncio

import numpy as np

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
from benchmarks.support.traffic import get

_TIMES = 5
_DEADLINE_MS = 100
_HEADER = {"X-Deadline-Ms": str(_DEADLINE_MS)}
_CONNECTIONS = 512
_PROBE_CONNECTIONS = 4
_CALM_CONNECTIONS = 64
_PROBE_SECONDS = 0.02
_NORMAL_SHARE = 0.2
_NORMAL_SECONDS = 4.0
_BARS = {
    "late_share": 0.01,
    "refusal_p99_ms": 10.0,
    "probe_p99_ms": 20.0,
    "seconds_until_normal": 2.0,
}
_GOODPUT = 0.9


def measure(conditions: Conditions) -> Outcome:
    """Answers in time a second over the capacity, and how refusals, probes and the time after are."""
    found = medians([_round(conditions, number) for number in range(conditions.rounds)])
    share = found["goodput_share"]
    bars = [Bar(name=name, value=found[name], limit=limit) for name, limit in _BARS.items()]
    goodput = Bar(name="goodput_share", value=share, limit=_GOODPUT, at_least=True)
    return Outcome(figures=found, ratios={"goodput_share": share}, bars=[goodput, *bars])


def _round(conditions: Conditions, number: int) -> dict[str, float]:
    seconds, texts = conditions.seconds, conditions.traffic.mixed
    requests, hurried = OURS.requests(texts), OURS.requests(texts, _HEADER)
    with our_server(conditions) as server:
        place = place_of(server)
        most = capacity(place, requests, seconds=seconds)
        calm = _NORMAL_SHARE * most
        before = paced(place, requests, rate=calm, seconds=seconds, seed=number)
        due = steady_arrivals(_TIMES * most, seconds, seed=number)
        later = float(due[-1]) + steady_arrivals(calm, _NORMAL_SECONDS, seed=number)
        answers, probes, after = run_load(_asked(place, hurried, requests, due=due, later=later))
    tell_faults(answers)
    print(f"round {number + 1}/{conditions.rounds}  {len(answers)} requests", flush=True)
    until = seconds_until(after, limit=2 * percentile(before.milliseconds, 99)) - float(due[-1])
    return {
        **under_overload(answers, capacity=most, seconds=seconds),
        "probe_p99_ms": percentile(probes.milliseconds, 99),
        "probe_most_ms": percentile(probes.milliseconds, 100),
        "seconds_until_normal": max(until, 0.0),
    }


def under_overload(answers: Answers, *, capacity: float, seconds: float) -> dict[str, float]:
    """Figures of a load with a deadline.

    Args:
        capacity: answers a second that the server gives where nothing is refused.
        seconds: over which the requests came.
    """
    accepted, refused = answers.accepted, answers.refused
    in_time = int((accepted <= _DEADLINE_MS).sum())
    taken = len(accepted) + answers.expired
    return {
        "capacity_per_s": capacity,
        "asked_per_s": len(answers) / seconds,
        "goodput_per_s": in_time / seconds,
        "goodput_share": in_time / seconds / capacity,
        "late_share": 1 - in_time / taken if taken else 1.0,
        "accepted_p99_ms": percentile(accepted, 99),
        "refusal_p99_ms": percentile(refused, 99) if len(refused) else 0.0,
        "refused_share": len(refused) / len(answers),
        "otherwise_failed": float(answers.failed - len(refused) - answers.expired),
        "generator_late_p99_ms": percentile(answers.late_milliseconds, 99),
    }


def seconds_until(answers: Answers, *, limit: float) -> float:
    """When the last request was due that failed or took longer than `limit` ms; 0 where none did.

    Of a hundred requests one may take longer: that is what a 99th percentile lets pass.
    """
    slow = answers.due[~(answers.milliseconds <= limit) | (answers.status != 200)]
    allowed = len(answers) // 100
    return float(np.sort(slow)[-1 - allowed]) if len(slow) > allowed else 0.0


async def _asked(
    place: Place, hurried: list[bytes], calm: list[bytes], *, due: Times, later: Times
) -> tuple[Answers, Answers, Answers]:
    """Answers of the load at `due`, of a probe fifty times a second beside it, and of the calm after it."""
    probed = np.arange(_PROBE_SECONDS, float(due[-1]), _PROBE_SECONDS)
    return await asyncio.gather(
        open_loop(place, hurried, due=due, connections=_CONNECTIONS),
        open_loop(place, [get("/health/live")], due=probed, connections=_PROBE_CONNECTIONS),
        open_loop(place, calm, due=later, connections=_CALM_CONNECTIONS),
    )
