"""An object of S3 comes by an address that is signed with the keys of the environment. moto's real server."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from flows.fetching.signed_s3 import ACCESS, signed_address
from pipeline.core.errors import DataError
from tests.support.s3 import running_s3

KEYS = {"AWS_ACCESS_KEY_ID": "us", "AWS_SECRET_ACCESS_KEY": "s3cret"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with running_s3(bucket="texts") as address:
        yield address


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    for name, value in {**KEYS, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.mark.parametrize("key", ["a/t.csv", "배송 목록.csv", "a+b&c=d.csv"])
def test_the_object_is_read_without_any_header(s3: str, keys: pytest.MonkeyPatch, key: str) -> None:
    keys.setenv("AWS_ENDPOINT_URL", s3)
    url = signed_address(f"s3://texts/{key}", of="source t")
    place = urlsplit(url)._replace(query="").geturl()
    httpx.put(place, content=b"rows", trust_env=False).raise_for_status()
    assert httpx.get(url, trust_env=False).content == b"rows"
    signed = parse_qs(urlsplit(url).query)
    assert {"X-Amz-Signature", "X-Amz-Expires"} <= signed.keys()
    assert "s3cret" not in json.dumps(signed)


def test_without_keys_the_address_is_that_of_a_public_object(keys: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        keys.delenv(name)
    url = signed_address("s3://texts/a/t.csv", of="source t")
    assert url == "https://texts.s3.amazonaws.com/a/t.csv"


@pytest.mark.parametrize("url", ["s3://texts", "s3://texts/", "s3:///t.csv"])
def test_an_address_without_an_object_is_refused(keys: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(DataError, match="names no object"):
        signed_address(url, of="source t")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_PROFILE", "nobody"),
        ("AWS_ENDPOINT_URL", "not an address"),
        ("AWS_DEFAULT_REGION", "no region!"),
    ],
)
def test_settings_of_no_use_give_one_message(
    keys: pytest.MonkeyPatch, name: str, value: str
) -> None:
    keys.setenv(name, value)
    with pytest.raises(DataError, match="cannot be asked for") as error:
        signed_address("s3://texts/t.csv", of="source t")
    assert error.value.next_step == ACCESS


def test_a_bucket_of_an_impossible_name_gives_one_message(keys: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="cannot be asked for"):
        signed_address("s3://no bucket/t.csv", of="source t")
