"""Every durable write of a release is named, and a kill at any of them loses and invents nothing."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from flows.execution.network import free_port
from flows.serve import serve
from pipeline.core.files import sha256_file, write_json
from pipeline.release import ledger
from pipeline.release.durable import Write
from pipeline.release.mlflow_database import ensure_database
from pipeline.release.production import stop_serving
from pipeline.release.requests import served_hash
from pipeline.release.server_process import running_server
from pipeline.release.state import Promotion, ReleaseState
from tests.support.releasing import PRODUCT, assert_truthful, released, watched
from tests.support.retraining import make_build


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [make_build(folder / str(seed), seed=seed) for seed in range(3)]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[ReleaseState]:
    state = ReleaseState(tmp_path, PRODUCT)
    yield state
    stop_serving(state)


def _hash(bundle: Path) -> str:
    return sha256_file(bundle / "manifest.json")


def test_no_release_rollback_or_repair_writes_anything_lasting_without_a_name(
    state: ReleaseState, bundles: list[Path]
) -> None:
    first, second, third = (str(bundle) for bundle in bundles)
    runs = [
        watched(state, "release", first, mlflow="absent"),
        watched(state, "release", second, mlflow="left out"),
        watched(state, "rollback", mlflow="absent"),
        watched(state, "fail", third),
    ]
    older = Promotion(hash=state.current(), failed=_hash(bundles[1]), champion=None, server=None)
    write_json(state.journal, asdict(older))
    state.point_to(_hash(bundles[1]))
    runs.append(watched(state, "serve"))
    assert [run.outside for run in runs] == [[]] * 5, [run.errors for run in runs]
    named = {word.split(", ")[0] for run in runs for word in run.writes}
    assert {Write(name) for name in named} == set(Write) - {Write.REGISTRY}
    assert state.current() == _hash(bundles[0])
    assert_truthful(state)


@pytest.mark.parametrize(
    ("command", "at"),
    [
        pytest.param("release", "line of the ledger, before, 1", marks=pytest.mark.soak),
        pytest.param("release", "pointer, before, 1", marks=pytest.mark.soak),
        ("release", "pointer, after, 1"),
        ("release", "line of the ledger, before, 2"),
        ("rollback", "pointer, after, 1"),
    ],
)
def test_a_kill_is_undone_by_the_next_command(
    state: ReleaseState, bundles: list[Path], command: str, at: str
) -> None:
    released(state, bundles[0])
    champion = released(state, bundles[1]).hash
    killed = watched(state, command, str(bundles[2]), kill="command", at=at)
    assert killed.code == -signal.SIGKILL, killed.errors
    serve(state.root, PRODUCT, free_port())
    # The end stands in the signed head before it stands in the ledger: from then on it holds.
    ended = "line of the ledger, before, 2"
    assert state.current() == (_hash(bundles[2]) if at == ended else champion)
    assert_truthful(state)


def _moments(state: ReleaseState, *command: str, mlflow: str) -> list[str]:
    """The moments around the writes of a command that nobody kills."""
    whole = watched(state, *command, mlflow=mlflow)
    assert whole.code in (0, 1), whole.errors
    return whole.writes


@contextmanager
def _locked(state: ReleaseState, mlflow: str) -> Iterator[None]:
    """Holds MLflow's database locked, if that is asked for."""
    with closing(sqlite3.connect(state.root / "mlflow.db")) as database:
        if mlflow == "locked":
            database.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.soak
@pytest.mark.parametrize("mlflow", ["left out", "absent", "as it is", "locked"])
@pytest.mark.parametrize("command", ["release", "rollback", "fail", "repair"])
def test_a_kill_at_every_durable_write_leaves_the_champion_answering(
    state: ReleaseState, bundles: list[Path], command: str, mlflow: str
) -> None:
    ensure_database(state.root)
    how = "as it is" if mlflow == "locked" else mlflow
    for bundle in bundles:
        released(state, bundle)
    slowest = 0.0
    with _locked(state, mlflow):
        moments = _moments(state, *_prepared(state, command, bundles), mlflow=how)
        for victim in ("command", "server"):
            for at in moments:
                words = _prepared(state, command, bundles)
                killed = watched(state, *words, kill=victim, at=at, mlflow=how)
                assert killed.code in (-signal.SIGKILL, 0, 1), killed.errors
                slowest = max(slowest, _seconds_until_served(state, how))
                assert_truthful(state)
    print(f"{command}, MLflow {mlflow}: {2 * len(moments)} kills, slowest {slowest:.2f} s")
    assert slowest <= 5.0


def _prepared(state: ReleaseState, command: str, bundles: list[Path]) -> tuple[str, ...]:
    """The words of a command that has something to do."""
    other = next(bundle for bundle in bundles if _hash(bundle) != state.current())
    if command == "repair":
        cut = watched(state, "release", str(other), kill="command", at="pointer, after, 1")
        assert cut.code == -signal.SIGKILL, cut.errors
    return command, str(other)


def _seconds_until_served(state: ReleaseState, mlflow: str) -> float:
    """Runs `modelyard serve`, and returns how long until the champion answers."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(watched, state, "serve", mlflow=mlflow)
        while not serving.done() or running_server(state) is None:
            server = running_server(state)
            whole = ledger.unfinished(state.ledger) is None
            if whole and server and served_hash(server.address) == state.current():
                break
            time.sleep(0.02)
        seconds = time.monotonic() - began
        assert serving.result().code == 0, serving.result().errors
    return seconds
