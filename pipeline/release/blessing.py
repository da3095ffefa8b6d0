"""Infrastructure blessing: tries a candidate server before anyone depends on it.

The gate has measured the model. This checks what only a running server shows: that the released
copy loads on this machine, answers the golden requests over HTTP, and keeps within its limits.
"""

from dataclasses import dataclass
from functools import partial

import psutil

from pipeline.core.errors import ReleaseError
from pipeline.release.requests import Address, p95_ms, predict, served_hash
from pipeline.release.server_process import start_candidate, stop_process
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import Bundle

_ROUNDS = 5
_REQUESTS = 20


@dataclass(frozen=True)
class Limits:
    """Limits of the candidate server; None where the product sets none."""

    latency_p95_ms: float | None = None
    memory_mb: float | None = None


def bless(state: ReleaseState, bundle: Bundle, limits: Limits) -> None:
    """Checks that the copy loads, answers and keeps its limits in a server of its own."""
    candidate = start_candidate(state, bundle.hash)
    try:
        verify(candidate.address, bundle)
        examples = bundle.description.examples
        p95 = p95_ms(candidate.address, examples, rounds=_ROUNDS, requests=_REQUESTS)
        memory = _resident_bytes(candidate.pid)
        for name, value, limit, unit in (
            ("p95 of a request over HTTP", p95, limits.latency_p95_ms, "ms"),
            ("resident memory", memory / 1e6, limits.memory_mb, "MB"),
        ):
            if limit is not None and not value <= limit:
                raise ReleaseError(
                    f"{name} of the candidate server is {value:.1f} {unit}",
                    expected=f"at most {limit:g} {unit}",
                    next_step="release on a machine with less other work, or relax the requirement",
                )
    finally:
        stop_process(candidate.process)


def verify(address: Address, bundle: Bundle) -> None:
    """Checks that a server serves this bundle and gives the golden answers."""
    served = served_hash(address)
    if served != bundle.hash:
        raise ReleaseError(
            f"{address.url} serves bundle {served}",
            expected=f"bundle {bundle.hash}",
            next_step="read the server's log in .modelyard/products/<name>/logs/",
        )
    if failures := bundle.description.golden_differences(partial(predict, address)):
        raise ReleaseError(
            f"{address.url}: {'; '.join(failures[:3])}",
            expected="all golden answers",
            next_step="build the bundle again on a machine of this kind",
        )


def _resident_bytes(pid: int) -> float:
    """Resident memory of a server: of its supervisor and its workers."""
    supervisor = psutil.Process(pid)
    family = [supervisor, *supervisor.children(recursive=True)]
    return float(sum(process.memory_info().rss for process in family))
