"""Where the annotation server listens, and the address that it tells."""

import ipaddress

import pytest

from pipeline.annotation.label_server import address, listen


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::", "0:0::0"])
def test_an_address_that_stands_for_all_is_told_as_one_that_a_phone_can_open(
    everywhere: str,
) -> None:
    host = address(everywhere, 8300).removeprefix("http://").removesuffix(":8300").strip("[]")
    assert host
    try:
        assert not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        assert host.isprintable()  # the machine's name, where it has no network


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("::1", "http://[::1]:1"), ("desk", "http://desk:1")],
)
def test_any_other_host_is_told_as_it_was_given(host: str, url: str) -> None:
    assert address(host, 1) == url


def test_the_next_free_port_is_taken() -> None:
    with listen("127.0.0.1", 0) as first:
        taken = first.getsockname()[1]
        with listen("127.0.0.1", taken) as second:
            assert second.getsockname()[1] > taken
