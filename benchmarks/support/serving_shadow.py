"""The part `shadow`: what a candidate that answers a copy of the traffic in idle time costs real answers."""

import tempfile
from pathlib import Path

from benchmarks.support.bundle_copies import copy_with_note
from benchmarks.support.load_figures import Outcome, percentile
from benchmarks.support.serving_field import (
    OURS,
    Conditions,
    capacity,
    has_option,
    medians,
    our_server,
    paced,
    place_of,
)

_OPTION = "--candidate"
_SHARE = 0.5


def measure(conditions: Conditions) -> Outcome:
    """The 99th percentile at half of the capacity, and the capacity, with a candidate over without."""
    if not has_option(_OPTION):
        return Outcome(
            figures={}, left_out={"shadow": f"this server has no {_OPTION} to run a candidate"}
        )
    with tempfile.TemporaryDirectory(prefix="modelyard-shadow-") as name:
        candidate = Path(name) / "candidate"
        copy_with_note(conditions.bundle, candidate, "A candidate.")
        rounds = [_round(conditions, candidate, number) for number in range(conditions.rounds)]
    return Outcome(figures=medians(rounds))


def _round(conditions: Conditions, candidate: Path, number: int) -> dict[str, float]:
    requests, seconds = OURS.requests(conditions.traffic.mixed), conditions.seconds
    with our_server(conditions) as server:
        place = place_of(server)
        most = capacity(place, requests, seconds=seconds)
        alone = paced(place, requests, rate=_SHARE * most, seconds=seconds, seed=number)
    with our_server(conditions, _OPTION, str(candidate)) as server:
        place = place_of(server)
        beside = paced(place, requests, rate=_SHARE * most, seconds=seconds, seed=number)
        shadowed = capacity(place, requests, seconds=seconds)
    before, after = (percentile(one.milliseconds, 99) for one in (alone, beside))
    return {
        "p99_ms": after,
        "p99_alone_ms": before,
        "p99_ratio": after / before,
        "capacity_share": shadowed / most,
        "failed": float(beside.failed),
    }
