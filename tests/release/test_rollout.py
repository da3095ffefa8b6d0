"""Releases of tiny bundles with the real server, the real registry and real kills."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.execution.network import free_port
from flows.release import release_bundle
from flows.serve import serve
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import ArtifactError, ChampionChangedError, ReleaseError
from pipeline.core.files import sha256_file, write_json
from pipeline.release import ledger, rollout
from pipeline.release.blessing import Limits
from pipeline.release.chain import faults
from pipeline.release.production import stop_serving
from pipeline.release.registry import HASH_TAG, Registry
from pipeline.release.registry_note import registry_note
from pipeline.release.repair import repair
from pipeline.release.requests import predict, served_hash
from pipeline.release.rollout import ReleaseResult, copy_bundle
from pipeline.release.server_process import (
    ServerProcess,
    find_servers,
    is_outdated,
    running_server,
    start_server,
    stop_all,
    stop_process,
)
from pipeline.release.state import Promotion, ReleaseState, all_states
from pipeline.runtime.bundle import open_bundle
from tests.support.releasing import PRODUCT, assert_truthful, released, rolled_back
from tests.support.repository import REPOSITORY
from tests.support.server import ready_hash, run_server, wait_until
from tests.support.small_disk import small_disk
from tests.support.tiny_bundle import make_tiny_bundle, rewrite_description
from tests.support.told import mlflow_client

Bundles = dict[str, Path]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    """Two good bundles, and one whose golden answers its model does not give."""
    folder = tmp_path_factory.mktemp("bundles")
    made = {name: folder / name for name in ("first", "second", "wrong")}
    for seed, path in enumerate(made.values()):
        make_tiny_bundle(path, seed=seed)
    rewrite_description(made["wrong"], _with_wrong_answer)
    return made


def _with_wrong_answer(description: dict[str, Any]) -> dict[str, Any]:
    first, *others = description["golden"]
    wrong = {"label": "negative", "probabilities": {"negative": 0.9, "positive": 0.1}}
    return description | {"golden": [first | wrong, *others]}


def assert_serves(state: ReleaseState, first: ReleaseResult) -> ServerProcess:
    """Checks that pointer, server and ledger have the bundle of a release."""
    assert_truthful(state)
    server = running_server(state)
    assert server is not None
    assert first.hash == state.current()
    return server


@pytest.fixture
def state(tmp_path: Path) -> Iterator[ReleaseState]:
    """The releases of a project, whose servers are stopped at the end."""
    yield ReleaseState(tmp_path, PRODUCT)
    for state in all_states(tmp_path):
        stop_all(state)


def _hash(bundle: Path) -> str:
    return sha256_file(bundle / "manifest.json")


def folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _events(state: ReleaseState) -> list[str]:
    return [entry.event for entry in ledger.read(state.ledger)]


def test_a_release_is_served_and_the_next_one_uses_the_same_server(
    state: ReleaseState, bundles: Bundles
) -> None:
    first = released(state, bundles["first"], mlflow=True)
    server = running_server(state)
    assert server is not None
    assert first.outcome == "promoted"
    assert predict(server.address, "a warm funny film").label == "positive"

    again = released(state, bundles["first"], mlflow=True)
    assert (again.outcome, again.version) == ("already serving", first.version)

    second = released(state, bundles["second"], mlflow=True)
    assert running_server(state) == server
    assert served_hash(server.address) == second.hash == _hash(bundles["second"])
    assert Registry(state.root, PRODUCT).champion() == second.version != first.version
    assert find_servers(state) == [server.process]
    assert _events(state) == ["promoting", "promoted", "already", "promoting", "promoted"]
    assert ledger.read(state.ledger)[-1].previous == first.hash


def test_each_product_has_its_own_server_and_takes_its_own_bundles(
    state: ReleaseState, bundles: Bundles
) -> None:
    first = released(state, bundles["first"])
    server = running_server(state)
    make_tiny_bundle(state.root / "other", seed=7, product="other")
    others = ReleaseState(state.root, "other")
    with pytest.raises(ReleaseError, match="product tiny-sentiment"):
        released(others, bundles["first"])
    assert others.current() is None
    other = released(others, state.root / "other")
    assert [found.product for found in all_states(state.root)] == ["other", PRODUCT]
    assert running_server(state) == server
    assert (state.current(), others.current()) == (first.hash, other.hash)
    assert other.address != first.address
    assert _events(state) == ["promoting", "promoted"]


def test_the_served_bundle_stays_if_a_candidate_fails(
    state: ReleaseState, bundles: Bundles
) -> None:
    first = released(state, bundles["first"])
    with pytest.raises(ReleaseError, match="gives other answers"):
        released(state, bundles["wrong"])
    with pytest.raises(ReleaseError, match="resident memory"):
        released(state, bundles["second"], limits=Limits(memory_mb=1))
    server = assert_serves(state, first)
    assert find_servers(state) == [server.process]
    assert _events(state) == ["promoting", "promoted", "refused", "refused"]


def test_the_bundle_before_comes_back_when_the_promoted_one_fails(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(state, bundles["first"])
    # Only the step before the promotion is left out: the server itself refuses the wrong bundle.
    monkeypatch.setattr(rollout, "bless", lambda *_: None)
    with pytest.raises(ReleaseError, match="does not serve"):
        released(state, bundles["wrong"])
    assert_serves(state, first)
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.hash) == ("rolled_back", first.hash)
    assert last.previous == _hash(bundles["wrong"])


def _refuse(*_: object) -> None:
    raise ReleaseError("another answer", expected="the golden one", next_step="none")


def test_a_first_release_that_fails_leaves_nothing_served(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "verify", _refuse)
    with pytest.raises(ReleaseError, match="another answer"):
        released(state, bundles["first"])
    assert state.current() is None
    assert running_server(state) is None
    assert not find_servers(state)
    assert _events(state) == ["promoting", "rolled_back"]


def test_a_verified_promotion_is_not_undone_whatever_was_written_since(
    state: ReleaseState, bundles: Bundles
) -> None:
    released(state, bundles["first"])
    second = released(state, bundles["second"])
    # A retraining that leaves the champion writes this without the lock of releases.
    kept = ledger.Entry(event="kept", hash=second.hash, previous=second.hash, why="retrain")
    ledger.append(state, kept)
    with state.lock():
        assert repair(state) is False
    assert state.current() == second.hash


def test_a_release_that_fails_where_mlflow_is_locked_or_gone_puts_the_pointer_back(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(state, bundles["first"])
    (state.root / "mlflow.db").write_text("no database")
    monkeypatch.setattr(rollout, "verify", _refuse)
    with pytest.raises(ReleaseError, match="another answer"):
        released(state, bundles["second"], mlflow=True)
    assert_serves(state, first)
    monkeypatch.undo()
    second = released(state, bundles["second"], mlflow=True)
    assert second.version is None
    assert "mlflow.db" in registry_note(state).behind or "Database" in registry_note(state).behind
    assert released(state, state.release(first.hash), mlflow=True).outcome == "promoted"


@pytest.mark.parametrize(
    "deleted",
    [
        pytest.param("the first version", marks=pytest.mark.soak),
        "every version",
        pytest.param("the model", marks=pytest.mark.soak),
    ],
)
def test_a_version_that_somebody_deleted_in_mlflow_is_registered_again(
    state: ReleaseState, bundles: Bundles, deleted: str
) -> None:
    first = released(state, bundles["first"], mlflow=True)
    second = released(state, bundles["second"], mlflow=True)
    client = mlflow_client(state.root)
    if deleted == "the model":
        client.delete_registered_model(PRODUCT)
    else:
        gone = (
            [first.version] if deleted == "the first version" else [first.version, second.version]
        )
        for version in gone:
            client.delete_model_version(PRODUCT, str(version))
    back = rolled_back(state)
    rollout.Rollout(state.root, PRODUCT).register()
    champion = Registry(state.root, PRODUCT).champion()
    assert champion is not None
    assert client.get_model_version(PRODUCT, champion).tags[HASH_TAG] == first.hash == back.hash
    assert registry_note(state).behind == ""
    assert_serves(state, first)


def test_a_server_that_dies_during_a_promotion_is_started_for_the_bundle_before(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(state, bundles["first"])
    server = running_server(state)
    assert server is not None

    def die(*_: object) -> None:
        stop_process(server.process)
        raise ReleaseError("the server is gone", expected="one", next_step="none")

    monkeypatch.setattr(rollout, "verify", die)
    with pytest.raises(ReleaseError, match="the server is gone"):
        released(state, bundles["second"])
    assert assert_serves(state, first).address == server.address


def test_what_is_in_production_is_not_called_refused(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(state, bundles["first"])
    monkeypatch.setattr(rollout, "verify", _refuse)
    with pytest.raises(ReleaseError, match="another answer"):
        released(state, bundles["first"])
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.hash) == ("kept", first.hash)
    assert "another answer" in last.why


def test_a_release_replaces_only_what_it_was_compared_with(
    state: ReleaseState, bundles: Bundles
) -> None:
    first = released(state, bundles["first"], expected_previous=None)
    second = released(state, bundles["second"], expected_previous=first.hash)
    make_tiny_bundle(state.root / "third", seed=9)
    for expected in (first.hash, None):
        with pytest.raises(ChampionChangedError, match=second.hash[:12]):
            released(state, state.root / "third", expected_previous=expected)
    assert_serves(state, second)


def test_a_rollback_needs_neither_mlflow_nor_todays_limits(
    state: ReleaseState, bundles: Bundles
) -> None:
    first, second = released(state, bundles["first"]), released(state, bundles["second"])
    server = running_server(state)
    (state.root / "mlflow.db").write_text("no database")
    back = rolled_back(state)
    assert (back.hash, back.outcome) == (first.hash, "rolled back by hand")
    assert assert_serves(state, back) == server
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.previous, last.why) == ("rolled_back_by_hand", second.hash, "a test")
    assert rolled_back(state, second.hash[:8]).hash == second.hash
    for beginning in ("nothing begins so", first.hash[:1] + "/../.."):
        with pytest.raises(ReleaseError, match="0 releases of tiny-sentiment"):
            rolled_back(state, beginning)


def test_a_server_that_was_killed_is_told_by_the_ledger(
    state: ReleaseState, bundles: Bundles
) -> None:
    first = released(state, bundles["first"])
    server = running_server(state)
    assert server is not None
    stop_process(server.process)
    assert serve(state.root, PRODUCT, server.port).address == server.address
    assert_serves(state, first)
    stop_serving(state)
    events = ["promoting", "promoted", "crashed", "started", "stopped"]
    assert _events(state) == events
    found = ledger.answered_at(state.ledger, datetime.now(UTC))
    assert found is not None
    assert found.hash is None


@pytest.mark.parametrize("recorded", [False, True])
def test_the_journal_of_an_older_version_is_taken_over(
    pointed: ReleaseState, bundles: Bundles, *, recorded: bool
) -> None:
    former, failed = pointed.current(), copy_bundle(pointed, open_bundle(bundles["second"]))
    assert former is not None
    pointed.point_to(failed.hash)
    promotion = Promotion(hash=former, failed=failed.hash, champion="1", server=None)
    write_json(pointed.journal, asdict(promotion))
    keys = {"version": "2", "previous": former, "why": "", "verdict": None, "hash": failed.hash}
    line = {"event": "promoted", "time": "2026-01-01T00:00:00.000000+00:00", **keys}
    kept = line | {"event": "kept", "previous": failed.hash}
    if recorded:
        pointed.ledger.write_text("".join(f"{json.dumps(each)}\n" for each in (line, kept)))
    serve(pointed.root, PRODUCT, free_port())
    assert not pointed.journal.exists()
    assert pointed.current() == (failed.hash if recorded else former)
    assert faults(pointed) == []
    events = ["promoted", "kept", "started"] if recorded else ["promoting", "rolled_back"]
    assert _events(pointed) == events


def test_a_port_in_use_is_skipped_and_reported(
    state: ReleaseState, bundles: Bundles, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        release = released(state, bundles["first"], port=taken)
    assert release.address != f"http://127.0.0.1:{taken}"
    assert f"port {taken} is in use" in capsys.readouterr().out


def test_a_damaged_bundle_is_refused(state: ReleaseState) -> None:
    make_tiny_bundle(state.root / "bundle", seed=7)
    (state.root / "bundle" / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError):
        released(state, state.root / "bundle")
    assert state.current() is None


def test_one_release_at_a_time(state: ReleaseState, bundles: Bundles) -> None:
    with state.lock(), pytest.raises(ReleaseError, match="under way"):
        released(state, bundles["first"])


START = """
import sys
from pathlib import Path
from pipeline.release.server_process import start_server
from pipeline.release.state import ReleaseState
print(start_server(ReleaseState(Path(sys.argv[1]), 'tiny-sentiment'), int(sys.argv[2])).pid)
"""


@pytest.fixture
def pointed(state: ReleaseState, bundles: Bundles) -> ReleaseState:
    """A state that points at a copy of the first bundle, which no server serves yet."""
    state.point_to(copy_bundle(state, open_bundle(bundles["first"])).hash)
    return state


def test_starting_the_server_holds_no_pipe_open(pointed: ReleaseState) -> None:
    # communicate() returns only when every writer of the pipe has closed it.
    ended = subprocess.run(
        [sys.executable, "-c", START, str(pointed.root), str(free_port())],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    pid = int(ended.stdout)
    assert psutil.pid_exists(pid)
    assert os.getsid(pid) == pid
    assert [found.pid for found in find_servers(pointed)] == [pid] == stop_all(pointed)
    assert not psutil.pid_exists(pid)
    assert not pointed.server.exists()


def test_a_server_is_known_after_somebody_set_the_clock(
    pointed: ReleaseState, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(pointed, free_port())
    create_time = psutil.Process.create_time
    # psutil adds the boot time, which the kernel reckons from the wall clock.
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 3)
    assert running_server(pointed) == server


def test_a_server_is_known_by_more_than_its_pid(pointed: ReleaseState) -> None:
    server = start_server(pointed, free_port())
    older = replace(server.process, started=f"{int(server.process.started) - 1}")
    write_json(pointed.server, asdict(replace(server, process=older)))
    assert running_server(pointed) is None
    assert not stop_process(older)
    assert served_hash(server.address) == pointed.current()


def test_a_server_that_an_older_version_noted_down_is_found(pointed: ReleaseState) -> None:
    server = start_server(pointed, free_port())
    note = {"pid": server.pid, "host": server.host, "port": server.port, "create_time": 1.5}
    write_json(pointed.server, note)
    found = running_server(pointed)
    assert found == replace(server, code="")
    assert is_outdated(found)
    write_json(pointed.server, note | {"pid": os.getpid()})
    assert running_server(pointed) is None


def test_a_release_leaves_servers_alone_that_others_started(
    state: ReleaseState, bundles: Bundles, tmp_path: Path
) -> None:
    first = released(state, bundles["first"])
    (tmp_path / "replica").mkdir()
    (tmp_path / "by-hand").mkdir()
    copy = state.release(first.hash)
    with (
        run_server(tmp_path / "replica", "--pointer", str(state.pointer)) as replica,
        run_server(tmp_path / "by-hand", "--bundle", str(copy)) as by_hand,
    ):
        second = released(state, bundles["second"])
        assert ready_hash(by_hand.url) == first.hash
        wait_until(lambda: ready_hash(replica.url) == second.hash)


@pytest.mark.parametrize("name", ["../../../elsewhere", "/elsewhere", "..", "Upper", "a", "a/b"])
def test_a_product_that_is_a_path_is_refused_before_anything_is_written(
    state: ReleaseState, name: str
) -> None:
    bundle = state.root / "bundle"
    make_tiny_bundle(bundle)
    rewrite_description(bundle, lambda described: described | {"product": name})
    before = sorted(state.root.rglob("*"))
    with pytest.raises(ArtifactError, match="the product"):
        release_bundle(root=state.root, bundle=bundle, mlflow_run_id=None, port=free_port())
    with pytest.raises(ReleaseError, match="as the name of a product"):
        ReleaseState(state.root, name)
    assert sorted(state.root.rglob("*")) == before


def test_with_a_token_set_release_serve_and_rollback_work_and_strangers_are_refused(
    state: ReleaseState, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELYARD_TOKEN", "a-secret-of-enough-length")
    first = released(state, bundles["first"])
    released(state, bundles["second"])
    back = released(state, state.release(first.hash))
    server = assert_serves(state, back)
    assert serve(state.root, PRODUCT, server.port) == server
    monkeypatch.delenv("MODELYARD_TOKEN")
    with pytest.raises(ReleaseError, match="another token"):
        predict(server.address, "good")
    assert _events(state).count("promoted") == 3


@pytest.mark.parametrize("short", ["bundle", "lines"])
def test_on_a_full_disk_the_champion_serves_and_with_room_the_release_goes_on(
    state: ReleaseState, bundles: Bundles, short: str
) -> None:
    state.folder.mkdir(parents=True)
    with small_disk(state.folder, kilobytes=4096) as disk:
        champion = released(state, bundles["first"])
        # Room for the half of a bundle, or for all of it but not for what is written about it.
        room = {"bundle": 0.5, "lines": 1.02}[short] * folder_bytes(bundles["second"])
        filler = state.folder / "filler"
        filler.write_bytes(b"x" * int(shutil.disk_usage(state.folder).free - room))
        with pytest.raises(DiskFullError, match=r"the disk is full: .* [\d,]+ bytes are free"):
            released(state, bundles["second"])
        assert state.current() == champion.hash
        assert served_hash(assert_serves(state, champion).address) == champion.hash
        disk.grow()
        second = released(state, bundles["second"])
        assert (second.hash, state.current()) == (_hash(bundles["second"]), second.hash)
        assert_truthful(state)
        stop_all(state)
