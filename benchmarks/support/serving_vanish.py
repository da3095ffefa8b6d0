"""The part `vanish`: large requests whose clients leave after 5 ms; how many of their texts are computed."""

import time

import httpx

from benchmarks.support.load_client import run_load
from benchmarks.support.load_figures import Bar, Outcome
from benchmarks.support.rude_clients import leave_early
from benchmarks.support.serving_field import (
    Conditions,
    closed,
    medians,
    our_server,
    place_of,
    processor_seconds,
)
from benchmarks.support.traffic import LARGE_TEXTS, large_requests
from tests.support.server import RunningServer

METRIC = "modelyard_texts_computed_total"
_REQUESTS = 200
_AFTER_SECONDS = 0.005
_QUIET_SECONDS = 0.25
_MOST_SECONDS = 60.0
_ANSWERED_SECONDS = 2.0
_BAR = 0.02


def measure(conditions: Conditions) -> Outcome:
    """The share of the texts that are computed all the same, and what that costs the processor."""
    found = medians([_round(conditions) for _ in range(conditions.rounds)])
    if "computed_share" not in found:
        why = f"GET /metrics of this server has no {METRIC}"
        return Outcome(figures=found, left_out={"computed_share": why})
    bar = Bar(name="computed_share", value=found["computed_share"], limit=_BAR)
    return Outcome(figures=found, bars=[bar])


def _round(conditions: Conditions) -> dict[str, float]:
    requests = large_requests(conditions.traffic.long)
    some = [requests[number % len(requests)] for number in range(_REQUESTS)]
    with our_server(conditions) as server:
        place = place_of(server)
        used = processor_seconds(server)
        answered = closed(place, requests, connections=1, seconds=_ANSWERED_SECONDS)
        each = (processor_seconds(server) - used) / len(answered)
        before, used = texts_computed(server), processor_seconds(server)
        run_load(leave_early(place, some, after=_AFTER_SECONDS))
        _wait_idle(server)
        after, vain = texts_computed(server), processor_seconds(server) - used
    figures = {"processor_s": vain, "processor_share_of_answered": vain / (each * _REQUESTS)}
    if before is None or after is None:
        return figures
    return {"computed_share": (after - before) / (_REQUESTS * LARGE_TEXTS), **figures}


def _wait_idle(server: RunningServer) -> None:
    """Waits until the server has done what it will do of that."""
    end, used = time.monotonic() + _MOST_SECONDS, -1.0
    while time.monotonic() < end and (now := processor_seconds(server)) > used + 0.02:
        used = now
        time.sleep(_QUIET_SECONDS)


def texts_computed(server: RunningServer) -> float | None:
    """The counter of the server's metrics, over all its series; None where there is none."""
    told = httpx.get(f"{server.url}metrics", trust_env=False, timeout=60.0)
    return counter_in(told.text, METRIC) if told.status_code == httpx.codes.OK else None


def counter_in(metrics: str, name: str) -> float | None:
    """The sum of a counter's series in the text format of Prometheus; None where it has none."""
    series = [
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith((f"{name} ", f"{name}{{"))
    ]
    return sum(series) if series else None
