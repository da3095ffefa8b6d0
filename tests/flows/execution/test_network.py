"""The port a person asks for is a port, and a local server is asked without a proxy."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows.execution.network import HOST, PORT_VARIABLE, answers, requested_port
from flows.orchestration.prefect_server import running_server
from pipeline.core.errors import ParameterError
from pipeline.core.files import write_json
from pipeline.core.paths import Paths


def test_a_port_is_taken_and_without_a_wish_it_is_8000(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    assert requested_port() == 8000
    monkeypatch.setenv(PORT_VARIABLE, "9000")
    assert requested_port() == 9000


@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "99999", "80.5"])
def test_what_is_no_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(PORT_VARIABLE, text)
    with pytest.raises(ParameterError, match=PORT_VARIABLE):
        requested_port()


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("/health") else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_local_server_is_found_whatever_proxy_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://{HOST}:1")
    with HTTPServer((HOST, 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{HOST}:{server.server_port}"
        assert answers(f"{address}/health")
        assert not answers(address)
        write_json(Paths(tmp_path).services, {"prefect_api": address})
        assert running_server(tmp_path) == address
        server.shutdown()
    assert running_server(tmp_path) is None
