"""What the server of a product serves: every worker of it, or it is said which one refused."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import ReleaseError
from pipeline.release import production
from pipeline.release.production import follow
from pipeline.release.server_process import ServerProcess
from pipeline.release.state import ReleaseState
from tests.support.releasing import PRODUCT
from tests.support.server import run_server, wait_until
from tests.support.tiny_bundle import make_tiny_bundle


def _copy(state: ReleaseState, seed: int) -> str:
    """A released copy of a bundle; returns its hash."""
    name = make_tiny_bundle(state.releases / ".new", seed=seed)
    (state.releases / ".new").rename(state.release(name))
    return name


def test_a_bundle_is_in_production_once_every_worker_serves_it(tmp_path: Path) -> None:
    state = ReleaseState(tmp_path, PRODUCT)
    first, second = _copy(state, 0), _copy(state, 1)
    state.point_to(first)
    (run := tmp_path / "run").mkdir()
    (state.folder / "server.listening.json").symlink_to(run / "server.json")
    with run_server(run, "--pointer", str(state.pointer), "--workers", "2") as server:
        wait_until(lambda: server.note().serves(first))
        note = server.note()
        known = ServerProcess(process=note.process, host=note.host, port=note.port)
        slow, quick = note.staying
        os.kill(slow.process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            state.point_to(second)
            following = pool.submit(follow, state, known, second)
            wait_until(lambda: second in [worker.hash for worker in server.note().staying])
            time.sleep(0.3)
            waited = not following.done()
            os.kill(slow.process.pid, signal.SIGCONT)
            assert following.result(30).server == known
        assert waited
        assert quick.process in [worker.process for worker in server.note().staying]
        assert server.note().serves(second)


def test_a_bundle_that_one_of_two_workers_refused_is_not_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ReleaseState(tmp_path, PRODUCT)
    first = _copy(state, 0)
    state.point_to(first)
    with run_server(tmp_path, "--pointer", str(state.pointer), "--workers", "2") as server:
        wait_until(lambda: server.note().serves(first))
        note = server.note()
        one, other = note.staying
        refused = replace(one, hash=None, refused=first, reason="no memory for it")
        said = replace(note, workers=(refused, other))
        monkeypatch.setattr(production, "server_note", lambda _: said)
        known = ServerProcess(process=note.process, host=note.host, port=note.port)
        with pytest.raises(ReleaseError, match="it refused it: no memory for it"):
            follow(state, known, first)
