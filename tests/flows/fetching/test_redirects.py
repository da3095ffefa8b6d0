"""A redirect leads on in the open network alone, whatever form a private address has."""

import pytest

from flows.fetching.redirects import redirected, same_origin
from pipeline.core.errors import DataError

FIRST = "https://93.184.216.34/t.csv"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "[::1]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[2002:7f00:1::]"),
        *("224.0.0.1", "2130706433", "localhost", "0x7f.1", "[64:ff9b::7f00:1]"),
    ],
)
def test_a_private_address_is_not_asked(host: str) -> None:
    with pytest.raises(DataError, match="a private address"):
        redirected(FIRST, f"https://{host}/t.csv", first=FIRST, of="source t")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://93.184.216.34/t.csv", "from https to http"),
        ("ftp://93.184.216.34/t.csv", "leads to ftp"),
        ("file:/etc/passwd", "leads to"),
        ("https://[::/t.csv", "leads to"),
    ],
)
def test_another_kind_of_address_is_not_asked(location: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        redirected(FIRST, location, first=FIRST, of="source t")
    assert "`url`" in error.value.next_step


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/u.csv?a=1", "https://93.184.216.34/u.csv?a=1"),
        ("//1.1.1.1/u.csv", "https://1.1.1.1/u.csv"),
        ("https://1.1.1.1:8443/u.csv", "https://1.1.1.1:8443/u.csv"),
    ],
)
def test_the_open_network_is(location: str, target: str) -> None:
    assert redirected(FIRST, location, first=FIRST, of="source t") == target


def test_the_host_that_the_product_file_names_may_be_private_and_no_other() -> None:
    first = "http://127.0.0.1:8000/t.csv"
    target = "http://127.0.0.1:9000/u.csv"
    assert redirected(first, target, first=first, of="source t") == target
    with pytest.raises(DataError, match="a private address"):
        redirected(first, "http://127.0.0.2:8000/", first=first, of="source t")


def test_a_port_belongs_to_the_origin() -> None:
    assert same_origin("https://a/x", "https://a:443/y")
    assert not same_origin("https://a/x", "https://a:8443/x")
    assert not same_origin("https://a/x", "http://a/x")
