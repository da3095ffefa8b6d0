"""What the ledger says was in production is what somebody who asks all the time has seen."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from flows.execution.network import free_port
from flows.releases import answered, verify_releases
from flows.serve import serve
from pipeline.core.errors import ReleaseError
from pipeline.release import ledger, rollout
from pipeline.release.production import stop_serving
from pipeline.release.rollout import ReleaseRequest, Rollout
from pipeline.release.state import ReleaseState
from tests.support.releasing import PRODUCT, without_mlflow
from tests.support.tiny_bundle import make_tiny_bundle

_PERIOD = 0.05
_SHARE = 0.999
_REST = 3.0
"""Seconds between two changes: most of production's time nothing changes."""


class Sample(NamedTuple):
    """What the prober saw: the bundle's hash, or None, between asking and being answered."""

    asked: datetime
    told: datetime
    hash: str | None


@contextmanager
def probed(port: int) -> Iterator[list[Sample]]:
    """Asks the server every 50 ms, while the block runs, which bundle answers."""
    samples: list[Sample] = []
    over = threading.Event()

    def probe() -> None:
        while not over.wait(_PERIOD):
            asked = datetime.now(UTC)
            seen = _answering(port)
            samples.append(Sample(asked, datetime.now(UTC), seen))

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def _answering(port: int) -> str | None:
    """The bundle that answers; None where nobody does. One that leaves answers until the port closes."""
    try:
        told = httpx.get(f"http://127.0.0.1:{port}/model", trust_env=False, timeout=30.0)
    except httpx.TransportError:
        return None
    return str(told.json()["hash"]) if told.is_success else None


def _fails(*_: object) -> None:
    time.sleep(0.3)  # the new bundle answers meanwhile, which the ledger has to say
    raise ReleaseError("another answer", expected="the golden one", next_step="none")


@pytest.mark.soak
def test_at_names_what_a_prober_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, port = ReleaseState(tmp_path, PRODUCT), free_port()
    releases = Rollout(tmp_path, PRODUCT, run_step=without_mlflow)
    bundles = [tmp_path / "bundles" / str(seed) for seed in range(16)]
    for seed, bundle in enumerate(bundles):
        make_tiny_bundle(bundle, seed=seed)
    unused = iter(bundles)

    def release() -> None:
        releases.release(ReleaseRequest(bundle=next(unused), why="soak", port=port))

    def fail() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(rollout, "verify", _fails)
            with pytest.raises(ReleaseError, match="another answer"):
                release()

    def roll_back() -> None:
        releases.roll_back("", why="soak", port=port)

    def stop() -> None:
        stop_serving(state)
        time.sleep(_REST)
        serve(tmp_path, PRODUCT, port)

    changes = [release, release, fail, roll_back] * 5 + [stop, stop]
    try:
        with probed(port) as samples:
            for change in changes:
                time.sleep(_REST)
                change()
            time.sleep(_REST)
        _assert_told(tmp_path, state, samples)
    finally:
        stop_serving(state)


def _assert_told(root: Path, state: ReleaseState, samples: list[Sample]) -> None:
    """The ledger and the prober agree, and the ledger is whole."""
    wrong = [
        sample
        for sample in samples
        if sample.hash not in {answered(root, PRODUCT, when).hash for when in sample[:2]}
    ]
    share = 1 - len(wrong) / len(samples)
    print(f"{len(samples):,} samples, {share:.3%} as the ledger says; not: {wrong[:5]}")
    events = [entry.event for entry in ledger.read(state.ledger)]
    ends = ("promoted", "rolled_back", "rolled_back_by_hand", "stopped", "started")
    assert [events.count(end) for end in ends] == [10, 5, 5, 2, 2]
    promoted = {entry.hash for entry in ledger.read(state.ledger) if entry.event == "promoted"}
    assert promoted <= {sample.hash for sample in samples}
    assert share >= _SHARE
    verify_releases(root, PRODUCT)
    whole = state.ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged in (b"".join(lines[:-1]), whole.replace(b"soak", b"sock", 1), b"".join(lines[1:])):
        state.ledger.write_bytes(damaged)
        with pytest.raises(ReleaseError, match=r"line|head"):
            verify_releases(root, PRODUCT)
    state.ledger.write_bytes(whole)
