"""Clients of other projects, as they are installed, ask our server and understand it.

Needs a package index: each client is installed into an environment of its own (benchmarks/support/peers.py).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.support.peers import Peer
from tests.support.repository import REPOSITORY
from tests.support.server import RunningServer, run_server
from tests.support.tiny_bundle import make_tiny_bundle

# To install a client may take long.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
MODEL = "tiny-sentiment"
TEXTS = ("a warm funny film", "the awful film 영화 🎬")


@pytest.fixture(name="server", scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("foreign")
    make_tiny_bundle(folder / "bundle")
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        yield server


def answers(server: RunningServer) -> dict[str, list[Any]]:
    """What our own protocol says to the texts."""
    sent = httpx.post(f"{server.url}predict", json={"texts": TEXTS})
    found = sent.json()["predictions"]
    return {key: [answer[key] for answer in found] for key in ("label", "probability")}


def asked(name: str, address: str, folder: Path) -> dict[str, Any]:
    """What a client of another project wrote down."""
    peer, result = Peer(REPOSITORY, name), folder / "result.json"
    peer.install()
    peer.run(address, MODEL, result, *TEXTS)
    written: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return written


def test_tritons_client_at_its_defaults_and_with_all_that_it_offers(
    server: RunningServer, tmp_path: Path
) -> None:
    found, wanted = asked("tritonclient", urlsplit(server.url).netloc, tmp_path), answers(server)
    assert found["live"] and found["ready"] and found["model_ready"]  # noqa: PT018 - one question
    assert found["model"]["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert {key: found["defaults"][key] for key in wanted} == wanted
    assert found["json"] == {"label": wanted["label"]}
    for coding in ("gzip", "deflate"):
        assert found[coding]["probability"] == wanted["probability"] * 20
    assert found["error"]["status"] == "404"
    assert found["error"]["message"].startswith("got: a request to the model nobody; expected: ")


def test_kserves_client_in_json_and_with_binary_data(server: RunningServer, tmp_path: Path) -> None:
    found, wanted = asked("kserve", server.url.rstrip("/"), tmp_path), answers(server)
    assert found["live"] and found["ready"] and found["model_ready"]  # noqa: PT018 - one question
    assert found["json"] == found["binary"] == wanted
    assert {key: found["dictionary"][key] for key in wanted} == wanted
