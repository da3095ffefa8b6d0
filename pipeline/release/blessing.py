"""Infra blessing: a candidate server proves itself on a port of its own before anyone depends on it.

The gate has measured the model; this checks what only a running server shows: that the released copy
loads on this machine, answers the golden requests over HTTP, and keeps its limits while it does.
"""

from dataclasses import dataclass

from pipeline.core.errors import ReleaseError
from pipeline.release import ledger
from pipeline.release.requests import Address, check_answers, p95_ms, served_hash
from pipeline.release.server_process import memory_mb, start_candidate, stop_server
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.task import request_of

_ROUNDS = 5
_REQUESTS = 20


@dataclass(frozen=True)
class Limits:
    """What the candidate server must keep; None where the product sets none.

    Attributes:
        latency_p95_ms: 95th percentile of a request over HTTP, milliseconds.
        memory_mb: resident memory of the server, megabytes of 10⁶ bytes.
    """

    latency_p95_ms: float | None = None
    memory_mb: float | None = None


def bless(state: ReleaseState, bundle: Bundle, limits: Limits) -> None:
    """Infra blessing: does the copy load, answer and keep its limits in a server of its own?

    Raises:
        ReleaseError: it does not.
    """
    candidate = start_candidate(state, bundle.hash, ledger.now())
    try:
        verify(candidate.address, bundle)
        asked = [request_of(example) for example in bundle.description["examples"]]
        p95 = p95_ms(candidate.address, asked, rounds=_ROUNDS, requests=_REQUESTS)
        _check_limit("p95 of a request over HTTP", p95, limits.latency_p95_ms, "ms")
        _check_limit("resident memory", memory_mb(candidate.pid), limits.memory_mb, "MB")
    finally:
        stop_server(candidate.pid)


def verify(address: Address, bundle: Bundle) -> None:
    """Ask the server itself: is it this bundle, and are its answers the golden ones?

    Raises:
        ReleaseError: it is not, or they are not.
    """
    served = served_hash(address)
    if served != bundle.hash:
        raise ReleaseError(
            f"{address.url} serves bundle {served}",
            expected=f"bundle {bundle.hash}",
            next_step="read logs/ in the product's folder below .modelyard/products/ for what the server said",
        )
    if failures := check_answers(address, bundle):
        raise ReleaseError(
            f"{address.url}: {'; '.join(failures[:3])}",
            expected=f"all {len(bundle.golden)} golden answers",
            next_step="build the bundle again on a machine of this kind",
        )


def _check_limit(name: str, value: float, limit: float | None, unit: str) -> None:
    if limit is not None and not value <= limit:
        raise ReleaseError(
            f"{name} of the candidate server is {value:.1f} {unit}",
            expected=f"at most {limit:g} {unit}",
            next_step="release on a machine with less other work, or loosen the requirement",
        )
