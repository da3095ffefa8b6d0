"""Requests of a release: they carry the token, and say so where it is another than the server's."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from pipeline.core.errors import ReleaseError
from pipeline.release.blessing import verify
from pipeline.release.requests import Address, p95_ms, predict, served_hash
from pipeline.runtime.bundle import Bundle, open_bundle
from tests.support.server import run_server
from tests.support.tiny_bundle import make_tiny_bundle

TOKEN = "a-secret-of-enough-length"


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return open_bundle(folder)


@pytest.fixture(name="guarded", scope="module")
def start_guarded(bundle: Bundle) -> Iterator[Address]:
    """A server that asks for the token, which lies in a file with a line end."""
    folder = bundle.folder.parent
    (folder / "token").write_text(f"{TOKEN}\n")
    environment = {"MODELYARD_TOKEN_FILE": str(folder / "token")}
    with run_server(folder, "--bundle", str(bundle.folder), environment=environment) as server:
        address = urlsplit(server.url)
        yield Address(str(address.hostname), int(address.port or 0))


def test_with_the_token_golden_requests_health_and_latency_are_answered(
    guarded: Address, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELYARD_TOKEN", TOKEN)
    assert served_hash(guarded) == bundle.hash
    verify(guarded, bundle)
    assert p95_ms(guarded, bundle.description.examples, rounds=1, requests=2) > 0


@pytest.mark.parametrize("token", [None, f"another-{TOKEN}"])
def test_without_the_servers_token_the_reason_is_said(
    guarded: Address, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token is not None:
        monkeypatch.setenv("MODELYARD_TOKEN", token)
    for ask in (served_hash, lambda address: predict(address, "good")):
        with pytest.raises(ReleaseError, match="another token") as caught:
            ask(guarded)
        assert "MODELYARD_TOKEN" in caught.value.next_step
        assert TOKEN not in str(caught.value)
