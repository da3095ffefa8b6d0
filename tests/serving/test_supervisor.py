"""The server's workers die, are told to end, and are replaced, while clients ask."""

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import httpx

from pipeline.core.files import write_json
from pipeline.core.process_identity import is_running
from pipeline.core.served_code import FOLDERS
from pipeline.core.server_note import ServerNote
from tests.support.repository import REPOSITORY
from tests.support.server import RunningServer, ready_hash, run_server, wait_until
from tests.support.steady_load import steady_load
from tests.support.tiny_bundle import make_tiny_bundle


@contextmanager
def serving(folder: Path, *arguments: str, code: Path = REPOSITORY) -> Iterator[RunningServer]:
    """A server that follows a pointer to a tiny bundle, once every worker serves that."""
    bundle_hash = make_tiny_bundle(folder / "bundle")
    pointer = folder / "current.json"
    write_json(pointer, {"bundle": bundle_hash, "folder": "bundle"})
    with run_server(folder, "--pointer", str(pointer), *arguments, code=code) as server:
        wait_until(lambda: server.note().serves(bundle_hash) and all_serving(server.note()))
        yield server


def all_serving(note: ServerNote) -> bool:
    return all(worker.phase == "serving" for worker in note.workers)


def pids(server: RunningServer) -> set[int]:
    """The workers that take requests."""
    return {w.process.pid for w in server.note().staying if w.phase == "serving"}


def troubled(server: RunningServer, *, more_than: int) -> bool:
    return server.note().troubles > more_than


def port_of(server: RunningServer) -> int:
    return server.note().port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_a_killed_worker_is_replaced_and_only_what_it_was_doing_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        (killed,) = pids(server)
        with steady_load(server.url, connections=4) as seen:
            wait_until(lambda: seen.answered > 20)
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: pids(server) not in ({killed}, set()))
            before = seen.answered
            wait_until(lambda: seen.answered > before + 20)
        assert len(seen.failures) <= 4
        assert set(seen.statuses) == {200}
        assert server.note().troubles == 1
        assert "signal 9" in str(server.note().trouble)
        assert server.stop() == 0


def test_workers_end_with_a_killed_supervisor_and_free_its_port(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2", "--drain", "30") as server:
        note, port = server.note(), port_of(server)
        assert len(note.workers) == 2
        server.process.kill()
        wait_until(lambda: is_free(port))
        wait_until(lambda: not any(is_running(worker.process) for worker in note.workers))


def test_a_server_that_ends_says_so_and_fails_no_request(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain", "1.5") as server:
        with steady_load(server.url, connections=4) as seen, httpx.Client() as probe:
            wait_until(lambda: seen.answered > 20)
            assert probe.get(f"{server.url}health/ready").status_code == 200
            server.process.terminate()
            wait_until(lambda: httpx.get(f"{server.url}health/ready").status_code == 503)
            answer = probe.get(f"{server.url}health/live")
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
            wait_until(lambda: seen.closed > 20)
        assert seen.failed == 0, seen.failures[:3]
        assert server.process.wait(20) == 0


def test_a_caller_that_comes_when_a_server_takes_no_more_is_refused_and_does_not_wait(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "--drain", "0") as server:
        address = ("127.0.0.1", port_of(server))
        with socket.create_connection(address) as busy:
            head = ("POST /predict HTTP/1.1", "Host: localhost", "Content-Type: application/json")
            rest = ("Content-Length: 9", "Expect: 100-continue", "", "")
            busy.sendall("\r\n".join([*head, *rest]).encode())
            assert busy.recv(99).startswith(b"HTTP/1.1 100")  # it waits for the body
            server.process.send_signal(signal.SIGTERM)
            # The socket of the last connection closes with its answer, the port before.
            wait_until(lambda: not takes_connections(address))
            assert server.process.poll() is None
        assert server.process.wait(20) == 0


def takes_connections(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1.0).close()
    except OSError:
        return False
    return True


def test_a_worker_told_to_end_is_replaced_without_a_failed_request(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain", "0") as server:
        (old,) = pids(server)
        with steady_load(server.url, connections=4) as seen:
            wait_until(lambda: seen.answered > 20)
            os.kill(old, signal.SIGTERM)
            wait_until(lambda: pids(server) not in ({old}, set()))
            wait_until(lambda: old not in {w.process.pid for w in server.note().workers})
            assert ready_hash(server.url) is not None
        assert seen.failed == 0, seen.failures[:3]
        assert server.note().troubles == 0
        assert server.stop() == 0


def copy_of_code(folder: Path) -> Path:
    """A copy of the code that a server runs, to be changed."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    shutil.copy(REPOSITORY / "pipeline" / "__init__.py", folder / "pipeline")
    return folder


def test_new_code_is_taken_up_by_the_same_process_without_a_failed_request(tmp_path: Path) -> None:
    code = copy_of_code(tmp_path / "code")
    with serving(tmp_path, "--workers", "2", "--drain", "0.2", code=code) as server:
        before, old = server.note(), pids(server)
        with steady_load(server.url, connections=4) as seen:
            wait_until(lambda: seen.answered > 20)
            protocol = code / "pipeline/serving/app.py"
            protocol.write_text(protocol.read_text().replace('"live"', '"alive"'))
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: len(now := pids(server)) == 2 and not now & old)
            # An old worker that is leaving may still take a connection, and answers it.
            wait_until(lambda: not any(is_running(w.process) for w in before.workers))
            assert httpx.get(f"{server.url}health/live").json() == {"status": "alive"}
        assert seen.failed == 0, seen.failures[:3]
        after = server.note()
        assert (after.process, after.port) == (before.process, before.port)
        assert {w.code for w in after.staying}.isdisjoint({w.code for w in before.workers})
        assert server.stop() == 0


def test_new_code_that_does_not_start_changes_nothing(tmp_path: Path) -> None:
    code = copy_of_code(tmp_path / "code")
    with serving(tmp_path, code=code) as server:
        old = pids(server)
        for name in ("worker.py", "server.py"):
            broken = code / "pipeline/serving" / name
            whole = broken.read_text()
            broken.write_text("raise SystemExit('broken')\n")
            troubles = server.note().troubles
            server.process.send_signal(signal.SIGHUP)
            wait_until(partial(troubled, server, more_than=troubles))
            assert pids(server) == old
            assert ready_hash(server.url) is not None
            broken.write_text(whole)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: pids(server) not in (old, set()))
        assert server.stop() == 0


def test_a_new_worker_without_a_model_takes_nothing_from_one_that_has_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as server:
        kept, killed = sorted(pids(server))
        (tmp_path / "bundle" / "model.onnx").unlink()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: server.note().troubles >= 3)
        assert "model.onnx" in str(server.note().trouble)
        assert pids(server) == {kept}
        assert {ready_hash(server.url) for _ in range(5)} == {server.note().staying[0].hash}
        other = make_tiny_bundle(tmp_path / "other", seed=1)
        write_json(tmp_path / "current.json", {"bundle": other, "folder": "other"})
        wait_until(lambda: server.note().serves(other) and len(pids(server)) == 2)


def test_a_bundle_that_kills_whoever_loads_it_is_left_once_the_pointer_goes_back(
    tmp_path: Path,
) -> None:
    code = copy_of_code(tmp_path / "code")
    loading = code / "pipeline/serving/hot_swap.py"
    begins = "    bundle = open_bundle(folder"
    killed = '    if folder.name == "fatal":\n        __import__("os").abort()\n'
    assert begins in loading.read_text()
    loading.write_text(loading.read_text().replace(begins, killed + begins))
    with serving(tmp_path, code=code) as server:
        before = (tmp_path / "current.json").read_text()
        write_json(tmp_path / "current.json", {"bundle": "0" * 64, "folder": "fatal"})
        wait_until(lambda: server.note().troubles >= 3)
        (tmp_path / "current.json").write_text(before)
        wait_until(lambda: len(pids(server)) == 1)
        assert ready_hash(server.url) is not None


def test_the_log_has_a_bound(tmp_path: Path) -> None:
    log = tmp_path / "detached.log"
    log.write_bytes(b"x" * 6_000_000)
    with serving(tmp_path, "--log", str(log)) as server:
        wait_until(lambda: log.stat().st_size < 10_000)
        assert (tmp_path / "detached.log.1").stat().st_size >= 6_000_000
        os.kill(next(iter(pids(server))), signal.SIGKILL)
        wait_until(lambda: "signal 9" in log.read_text())


def test_an_access_log_has_the_same_bound_and_all_workers_write_to_it(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 6_000_000)
    options = ("--access-log", str(log), "--workers", "2", "--root-path", "/team")
    with serving(tmp_path, *options) as server:
        wait_until(lambda: log.stat().st_size < 100_000)
        assert (tmp_path / "access.log.1").stat().st_size >= 6_000_000
        assert httpx.get(f"{server.url}team/model").status_code == 200
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [line["status"] for line in lines if line["route"] == "/model"] == [200]


def test_counters_go_on_where_a_worker_was_killed_and_where_new_code_came(tmp_path: Path) -> None:
    def ask(path: str) -> str:
        # On a connection of its own, which either worker may take.
        with urlopen(f"{server.url}{path}") as answer:
            text: str = answer.read().decode()
            return text

    def counted() -> float:
        return sum(
            float(line.rpartition(" ")[2])
            for line in ask("metrics").splitlines()
            if line.startswith('modelyard_requests_total{route="/model",status="200"}')
        )

    with serving(tmp_path, "--workers", "2") as server:
        for number in range(1, 9):
            ask("model")
            # An answer is counted once it is sent, and the other worker may be asked before.
            wait_until(lambda: counted() == number)  # noqa: B023 - asked at once
        os.kill(next(iter(pids(server))), signal.SIGKILL)
        wait_until(lambda: server.note().troubles == 1 and len(pids(server)) == 2)
        assert counted() == 8
        before = pids(server)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(pids(server)) == 2 and not pids(server) & before)
        ask("model")
        wait_until(lambda: counted() == 9)
