"""The part `overhead`: what a request over HTTP costs beside tokenizer and ONNX Runtime in process."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.support.apart import in_own_process
from benchmarks.support.command_line import median_rates
from benchmarks.support.load_figures import Bar, Outcome
from benchmarks.support.raw_speed import raw_speed
from benchmarks.support.serving_field import (
    CONNECTIONS,
    OURS,
    Conditions,
    capacity,
    our_server,
    place_of,
    trivial_server,
)

_BARS = {"overhead_us": 110.0, "share_of_raw": 0.80, "share_of_raw_at_one": 0.70}
_CEILING_OVER_OURS = 3.0
"""A generator that can do three times what is measured is not what limits it."""


def measure(conditions: Conditions) -> Outcome:
    """Microseconds a request at sixteen connections, and shares of raw; all texts have 32 tokens."""
    texts, seconds = conditions.traffic.short, conditions.seconds
    requests = OURS.requests(texts)
    with ExitStack() as stack:
        raw = stack.enter_context(in_own_process(raw_speed))
        ours = place_of(stack.enter_context(our_server(conditions)))
        trivial = stack.enter_context(trivial_server(conditions))
        turns: dict[str, Callable[[], float]] = {
            "raw": partial(
                raw, conditions.bundle, texts, core=conditions.server_core, seconds=seconds
            ),
            "ours_at_one": partial(capacity, ours, requests, seconds=seconds, connections=1),
            "ours": partial(capacity, ours, requests, seconds=seconds),
            "generator_ceiling": partial(capacity, trivial, requests, seconds=seconds),
        }
        for ask in turns.values():
            ask()  # caches and clocks are warm
        rates = median_rates(turns, rounds=conditions.rounds, unit="requests/s")
    return judged(rates)


def judged(rates: dict[str, float]) -> Outcome:
    """The outcome of the rates, requests a second."""
    ratios = {
        "overhead_us": 1e6 / rates["ours"] - 1e6 / rates["raw"],
        "share_of_raw": rates["ours"] / rates["raw"],
    }
    more = {
        "share_of_raw_at_one": rates["ours_at_one"] / rates["raw"],
        "ceiling_over_ours": rates["generator_ceiling"] / rates["ours"],
    }
    found = {**ratios, **more}
    return Outcome(
        figures={
            **{f"{name}_per_s": rate for name, rate in rates.items()},
            **found,
            "connections": CONNECTIONS,
        },
        ratios=ratios,
        bars=[
            Bar(name=name, value=found[name], limit=limit, at_least=name != "overhead_us")
            for name, limit in {**_BARS, "ceiling_over_ours": _CEILING_OVER_OURS}.items()
        ],
    )
