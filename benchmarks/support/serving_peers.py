"""The part `peers`: other servers of models with the same bundle, each in an environment of its own."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO

import numpy as np

from benchmarks.peers.raw_model import RawModel
from benchmarks.support.command_line import median_rates
from benchmarks.support.http_connection import Place
from benchmarks.support.load_client import open_loop, run_load
from benchmarks.support.load_figures import Bar, Outcome, percentile
from benchmarks.support.peers import Peer, PeerError, signal_tree
from benchmarks.support.serving_field import (
    OURS,
    Conditions,
    Dialect,
    capacity,
    medians,
    on_core,
    our_server,
    paced,
    place_of,
    unused_port,
    wait_listening,
)
from pipeline.core.progress import say

FASTAPI = "fastapi"
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "litserve": OURS,
        "bentoml": OURS,
        "mlflow": Dialect("/invocations", lambda text: {"inputs": [text]}),
        "infinity": Dialect("/classify", lambda text: {"model": "bundle", "input": [text]}),
        FASTAPI: OURS,
    }
)
"""Name of a peer → how it is asked."""
_VS_BEST, _VS_FASTAPI = 2.0, 1.3
_START_SECONDS = 180.0
_CHECKED = 8


@dataclass(frozen=True)
class Server:
    """A peer's server that runs while it is its turn."""

    pid: int
    place: Place
    requests: Sequence[bytes]

    def turn(self, ask: Callable[[Place, Sequence[bytes]], float]) -> float:
        """The figure that `ask` finds while all the server's processes run; they stand still otherwise."""
        signal_tree(self.pid, signal.SIGCONT)
        try:
            return ask(self.place, self.requests)
        finally:
            signal_tree(self.pid, signal.SIGSTOP)


def measure(conditions: Conditions) -> Outcome:
    """Rates at sixteen connections and one, and the 99th percentile at half of each peer's capacity."""
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for name in DIALECTS:
            try:
                servers[name] = stack.enter_context(_peer_server(conditions, name))
            except PeerError as error:
                say(f"{name}  left out: {error}")
                left_out[name] = str(error)
        ours = place_of(stack.enter_context(our_server(conditions)))
        return _raced(conditions, ours, servers, left_out)


def _raced(
    conditions: Conditions, ours: Place, servers: Mapping[str, Server], left_out: dict[str, str]
) -> Outcome:
    requests, seconds = OURS.requests(conditions.traffic.short), conditions.seconds
    turns: dict[str, Callable[[], float]] = {}
    for suffix, connections in (("", 16), ("_at_one", 1)):
        most = partial(capacity, seconds=seconds, connections=connections)
        turns[f"ours{suffix}"] = partial(most, ours, requests)
        for name, server in servers.items():
            turns[f"{name}{suffix}"] = partial(server.turn, most)
    rates = median_rates(turns, rounds=conditions.rounds, unit="requests/s")
    half: dict[str, float] = {}
    for name, server in servers.items():
        p99 = partial(_p99, rate=rates[name] / 2, seconds=seconds)
        rounds = [
            {"theirs": server.turn(p99), "ours": p99(ours, requests)}
            for _ in range(conditions.rounds)
        ]
        found = medians(rounds)
        half |= {f"{name}_p99_at_half_ms": found["theirs"]}
        half |= {f"ours_p99_at_half_of_{name}_ms": found["ours"]}
    return judged(rates, half, left_out)


def _p99(place: Place, requests: Sequence[bytes], *, rate: float, seconds: float) -> float:
    return percentile(paced(place, requests, rate=rate, seconds=seconds).milliseconds, 99)


def judged(
    rates: Mapping[str, float], half: Mapping[str, float], left_out: dict[str, str]
) -> Outcome:
    """The outcome of rates by server, and of times at half of each peer's."""
    named = [name for name in DIALECTS if name in rates]
    others = [name for name in named if name != FASTAPI]
    ratios, bars = {}, []
    if others:
        ratios["vs_best_peer"] = rates["ours"] / max(rates[name] for name in others)
        bars.append(_at_least("vs_best_peer", ratios, _VS_BEST))
    if FASTAPI in named:
        ratios["vs_fastapi"] = rates["ours"] / rates[FASTAPI]
        bars.append(_at_least("vs_fastapi", ratios, _VS_FASTAPI))
    over = {
        f"p99_over_{name}": half[f"ours_p99_at_half_of_{name}_ms"] / half[f"{name}_p99_at_half_ms"]
        for name in named
    }
    bars += [Bar(name=name, value=value, limit=1.0) for name, value in over.items()]
    figures = {f"{name}_per_s": rate for name, rate in rates.items()} | dict(half) | over | ratios
    return Outcome(figures=figures, ratios=ratios, bars=bars, left_out=left_out)


def _at_least(name: str, ratios: Mapping[str, float], limit: float) -> Bar:
    return Bar(name=name, value=ratios[name], limit=limit, at_least=True)


@contextmanager
def _peer_server(conditions: Conditions, name: str) -> Iterator[Server]:
    """A peer's server that answers as the raw model does, standing still."""
    peer, place = Peer(conditions.root, name), ("127.0.0.1", unused_port())
    peer.install()
    log = peer.environment / "server.log"
    with ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(log.open("wb"))
        with on_core(conditions.server_core):
            starting = peer.started(conditions.bundle, place[1], output=stream)
            process = stack.enter_context(starting)
        wait_listening(place, process)
        texts = conditions.traffic.short
        server = Server(process.pid, place, DIALECTS[name].requests(texts))
        model = RawModel(conditions.bundle)
        for text, request in zip(texts[:_CHECKED], server.requests, strict=False):
            wanted = str(model.answer(text)["label"])
            told = first_named(_answer(place, request, process, log), model.labels)
            if told != wanted:
                raise PeerError(f"it answers {told} where the model says {wanted}")
        signal_tree(process.pid, signal.SIGSTOP)
        yield server


def _answer(place: Place, request: bytes, process: "subprocess.Popen[bytes]", log: Path) -> bytes:
    """The body of a server's first answer with 200, for which it may take minutes as it starts.

    Raises:
        PeerError: it ends, or does not answer in that time.
    """
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            once = open_loop(place, [request], due=np.zeros(1), connections=1, keep=True)
            answers = run_load(once)
            if not answers.failed:
                return answers.kept[0].partition(b"\r\n\r\n")[2]
        time.sleep(0.5)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise PeerError(f"it does not answer: {'; '.join(lines[-3:])}")


def first_named(body: bytes, labels: Sequence[str]) -> str | None:
    """The label that stands first in a body; None where none does."""
    places = {label: at for label in labels if (at := body.find(f'"{label}"'.encode())) >= 0}
    return min(places, key=lambda label: places[label], default=None)
