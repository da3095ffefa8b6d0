"""A proxy's prefix, taken off by the proxy or not, is no part of what the routes see."""

from ipaddress import ip_network
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.prefix_rule import is_prefix
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.surroundings import Surroundings
from tests.support.server import holder_of
from tests.support.tiny_bundle import make_tiny_bundle

LOOPBACK, ELSEWHERE = "127.0.0.1", "192.0.2.7"


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


def client_from(address: str, holder: ModelHolder, **options: Any) -> TestClient:
    """A client whose connections come from an address."""
    app = create_app(
        holder,
        scheduler=Scheduler(cores=1),
        surroundings=Surroundings(**options),
        token="a-secret-of-enough-length",
        loopback_only=False,
    )
    headers = {"authorization": "Bearer a-secret-of-enough-length"}
    return TestClient(
        app, base_url="http://127.0.0.1", client=(address, 1), headers=headers, follow_redirects=False
    )  # fmt: skip


PATHS = ("/", "/static/app.js", "/model", "/health/live", "/v2", "/openapi.json", "/metrics")


@pytest.mark.parametrize("path", PATHS)
def test_a_prefix_that_is_left_on_is_taken_off_and_need_not_be_there(
    holder: ModelHolder, path: str
) -> None:
    with client_from(ELSEWHERE, holder, root_path="/team/model") as client:
        assert client.get(path).status_code == 200
        assert client.get(f"/team/model{path}").status_code == 200
        assert client.get(f"/team/modelx{path}").status_code == 404


def test_the_document_names_the_prefix_as_its_server(holder: ModelHolder) -> None:
    with client_from(LOOPBACK, holder, root_path="/model") as client:
        own = client.get("/model/openapi.json").json()
        proxied = client.get("/openapi.json", headers={"x-forwarded-prefix": "/b/c/"}).json()
        none = client.get("/openapi.json", headers={"x-forwarded-prefix": "/"}).json()
    servers = [document["servers"] for document in (own, proxied, none)]
    assert servers == [[{"url": "/model"}], [{"url": "/b/c"}], [{"url": "/"}]]


def test_only_the_loopback_and_named_proxies_may_name_a_prefix(holder: ModelHolder) -> None:
    named = {"x-forwarded-prefix": "/b"}
    for address, trusted, server in (
        (LOOPBACK, (), "/b"),
        ("::1", (), "/b"),
        (ELSEWHERE, (), "/"),
        (ELSEWHERE, (ip_network("192.0.2.0/24"),), "/b"),
        ("198.51.100.1", (ip_network("192.0.2.0/24"),), "/"),
    ):
        with client_from(address, holder, trusted=trusted) as client:
            document = client.get("/openapi.json", headers=named).json()
            assert document["servers"] == [{"url": server}], address


def test_a_prefix_that_was_taken_off_is_not_taken_off_again(holder: ModelHolder) -> None:
    with client_from(LOOPBACK, holder) as client:
        named = {"x-forwarded-prefix": "/model"}
        assert client.get("/model", headers=named).json()["product"] == "tiny-sentiment"
        assert client.get("/model/card", headers=named).text.startswith("# Tiny model")


def test_a_malformed_prefix_of_a_trusted_proxy_is_refused_by_name(holder: ModelHolder) -> None:
    with client_from(LOOPBACK, holder) as client:
        for wrong in ("model", "//evil.example", "/a b", "/a/../b", "/" + "a" * 300, "/a?b"):
            answer = client.get("/model", headers={"x-forwarded-prefix": wrong})
            assert answer.status_code == 400, wrong
            assert "X-Forwarded-Prefix" in answer.json()["error"]["got"]


def test_the_page_without_its_slash_leads_to_the_one_with_it_and_names_no_host(
    holder: ModelHolder,
) -> None:
    with client_from(LOOPBACK, holder, root_path="/model") as client:
        answer = client.get("/model", headers={"host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (308, "/model/")


def test_a_prefix_frees_no_route_from_the_token(holder: ModelHolder) -> None:
    with client_from(LOOPBACK, holder, root_path="/health/live") as client:
        assert client.get("/health/live/model", headers={"authorization": ""}).status_code == 401
        assert (
            client.get("/health/live/health/live", headers={"authorization": ""}).status_code == 200
        )


@pytest.mark.parametrize("text", ["/a", "/a/b", "/a.b/c-d_e~f"])
def test_prefixes(text: str) -> None:
    assert is_prefix(text)


@pytest.mark.parametrize("text", ["", "/", "a", "/a/", "//a", "/.", "/..", "/a%20", "/a\n", "/é"])
def test_what_is_no_prefix(text: str) -> None:
    assert not is_prefix(text)
