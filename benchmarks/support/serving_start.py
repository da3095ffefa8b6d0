"""The part `start`: seconds until a server is ready, and its memory after many requests."""

import time

from benchmarks.support.load_figures import Bar, Outcome
from benchmarks.support.serving_field import (
    CONNECTIONS,
    OURS,
    Conditions,
    Dialect,
    closed,
    medians,
    memory_mb,
    our_server,
    place_of,
)
from pipeline.core.errors import DataError
from pipeline.runtime.bundle import LANGUAGE_MODEL

_REQUESTS = 10_000
_LANGUAGE = ("cost", "next", "embeddings")
_LANGUAGE_SECONDS = 3.0
_BARS = {"ready_s": 1.5, "memory_mb": 160.0}
_LANGUAGE_BAR = 250.0


def measure(conditions: Conditions) -> Outcome:
    """Seconds to readiness, megabytes after 10,000 requests and, where there is one, after the language model's."""
    found = medians([_round(conditions) for _ in range(conditions.rounds)])
    bars = [Bar(name=name, value=found[name], limit=limit) for name, limit in _BARS.items()]
    if not (conditions.bundle / LANGUAGE_MODEL).exists():
        why = "this bundle has no language model"
        return Outcome(figures=found, bars=bars, left_out={"memory_with_language_mb": why})
    name = "memory_with_language_mb"
    return Outcome(
        figures=found, bars=[*bars, Bar(name=name, value=found[name], limit=_LANGUAGE_BAR)]
    )


def _round(conditions: Conditions) -> dict[str, float]:
    texts = conditions.traffic.mixed
    requests, begun = OURS.requests(texts), time.perf_counter()
    with our_server(conditions) as server:
        ready, at_start = time.perf_counter() - begun, memory_mb(server)
        place, answered = place_of(server), 0
        while answered < _REQUESTS:
            answers = closed(place, requests, connections=CONNECTIONS, seconds=1.0)
            if answers.failed:
                raise DataError(
                    f"{answers.failed} failed requests: {'; '.join(answers.faults)}",
                    expected="an answer to each",
                    next_step="look at the server's log",
                )
            answered += len(answers)
        found = {"ready_s": ready, "memory_at_start_mb": at_start, "memory_mb": memory_mb(server)}
        if (conditions.bundle / LANGUAGE_MODEL).exists():
            for name in _LANGUAGE:
                asked = Dialect(f"/language/{name}", OURS.body).requests(texts)
                closed(place, asked, connections=4, seconds=_LANGUAGE_SECONDS)
            found["memory_with_language_mb"] = memory_mb(server)
    return found
