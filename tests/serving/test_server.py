"""The real server process: ports, state file, releases under load, an orderly end."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.core.errors import ReleaseError
from pipeline.core.files import write_json
from pipeline.serving.server import bind, check_exposure, check_parsers
from tests.support.repository import REPOSITORY
from tests.support.server import ready_hash, run_server, wait_until
from tests.support.tiny_bundle import make_tiny_bundle

SERVER = [sys.executable, "-m", "pipeline.serving.server"]


def test_requests_never_fail_while_the_pointer_moves_and_a_bad_bundle_changes_nothing(
    tmp_path: Path,
) -> None:
    hashes = [make_tiny_bundle(tmp_path / f"bundle{seed}", seed=seed) for seed in range(3)]
    with (tmp_path / "bundle2" / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    pointer = tmp_path / "current.json"
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(base_url=url) as client:
            while not stop.is_set():
                answer = client.post("/predict", json={"texts": ["good film", "dull"]})
                seen.append((answer.status_code, answer.json()["model"]["hash"]))

    with run_server(tmp_path, "--pointer", str(pointer)) as server:
        assert ready_hash(server.url) is None
        write_json(pointer, {"bundle": hashes[0], "folder": "bundle0"})
        wait_until(lambda: ready_hash(server.url) == hashes[0])
        threads = [threading.Thread(target=ask, args=(server.url,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: (200, hashes[0]) in seen)
            write_json(pointer, {"bundle": hashes[1], "folder": "bundle1"})
            wait_until(lambda: (200, hashes[1]) in seen)
            write_json(pointer, {"bundle": hashes[2], "folder": "bundle2"})
            wait_until(lambda: last_error(server.url) is not None)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert ready_hash(server.url) == hashes[1]
        assert "model.onnx" in str(last_error(server.url))
        assert server.stop() == 0
    assert {status for status, _ in seen} == {200}
    assert {digest for _, digest in seen} == set(hashes[:2])
    log = server.log.read_text()
    assert "refused" in log
    assert "good film" not in log


def last_error(url: str) -> str | None:
    """The reason why the server refused its latest bundle."""
    value: str | None = httpx.get(f"{url}health/ready").json()["last_error"]
    return value


def test_ten_megabytes_get_a_reason_even_where_all_is_sent_first(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle")) as server:
        for chunked in (False, True):
            answer = send_large(server.url, chunked=chunked)
            assert answer.status == 413
            assert "bytes" in json.loads(answer.read())["error"]["got"]
        assert httpx.post(f"{server.url}predict", json={"text": "good"}).status_code == 200


def send_large(url: str, *, chunked: bool) -> http.client.HTTPResponse:
    """Sends 10 MB, all of it before reading the answer."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    blocks = [b" " * 1_000_000] * 10
    body = iter(blocks) if chunked else b"".join(blocks)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/predict", body, headers, encode_chunked=chunked)
    return connection.getresponse()


def test_sigterm_ends_it_with_success_and_removes_the_state_file(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with run_server(tmp_path, "--bundle", str(tmp_path / "bundle")) as server:
        state = json.loads((tmp_path / "server.json").read_text())
        assert state["process"]["pid"] == server.process.pid
        assert state["url"] == server.url
        assert server.stop() == 0
    assert not (tmp_path / "server.json").exists()


def test_the_workers_keep_feedback_and_serve_the_browser_version_where_the_options_say_so(
    tmp_path: Path,
) -> None:
    bundle_hash = make_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge" / "index.html").write_text("<!doctype html><title>In your browser</title>")
    file = tmp_path / "feedback.jsonl"
    options = ["--feedback", str(file), "--browser", str(tmp_path / "edge"), "--workers", "2"]
    with (
        run_server(tmp_path, "--bundle", str(tmp_path / "bundle"), *options) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        assert "In your browser" in client.get("browser/").text
        for number in range(6):
            query = {"verdict": "right", "model": bundle_hash}
            text = {"text": f"a warm film {number}"}
            assert client.post("feedback", params=query, json=text).status_code == 201
        assert server.stop() == 0
    assert len(file.read_text(encoding="utf-8").splitlines()) == 6


def test_a_port_in_use_gives_the_next_free_one_and_the_socket_sends_without_delay() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port) as listener:
            assert port < listener.getsockname()[1] < port + 50
            assert listener.proto == socket.IPPROTO_TCP  # else asyncio sets no TCP_NODELAY


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"192\.0\.2\.1"):
        bind("192.0.2.1", 0)


def test_without_the_fast_parser_it_says_what_to_install_and_takes_no_slow_one() -> None:
    check_parsers()
    with pytest.raises(ReleaseError, match="without no_such_parser") as caught:
        check_parsers(["httptools", "no_such_parser"])
    assert "serve" in caught.value.next_step


def test_a_host_that_other_machines_reach_needs_a_token_and_a_loopback_host_does_not() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "models.example"):
        with pytest.raises(ReleaseError, match="no token"):
            check_exposure(host, None)
        check_exposure(host, "secret")
    for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        check_exposure(host, None)


def test_a_bundle_that_does_not_open_ends_the_command_with_one_message(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "bundle.json").write_text("{}")
    ended = subprocess.run(
        [*SERVER, "--port", "0", "--bundle", str(tmp_path / "bundle")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("serve failed") == 1
    assert "bundle.json" in ended.stderr


def test_the_supervisor_itself_imports_nothing_large() -> None:
    code = (
        "import sys, pipeline.serving.server;"
        "print([m for m in ('numpy', 'onnxruntime', 'starlette', 'uvicorn', 'asyncio') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
