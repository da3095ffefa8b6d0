"""Says where a redirect may lead: to an address of the open network, or to the host that was asked."""

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

from pipeline.core.errors import DataError
from pipeline.core.fetched_addresses import shown_address

MOST_REDIRECTS = 10
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of IPv6 that a network translates to IPv4 (RFC 6052)."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirected(asked: str, location: str, *, first: str, of: str) -> str:
    """The address that an answer leads to.

    A private, loopback or link-local address could be one of this machine's own services, which a
    stranger must not reach through us. The host that the product file names may have any address.

    Args:
        asked: the address that was asked.
        location: what the answer's header Location says.
        first: the address that the product file names.
        of: the source, for messages.

    Raises:
        DataError: it leads to another kind of address, to an unencrypted one, or to a private one.
    """
    try:
        target = urljoin(asked, location)
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, target, host, port = urlsplit(""), "", "", None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise _refused(of, f"leads to {shown_address(target)}", "an address of http or https")
    if urlsplit(asked).scheme == "https" and parts.scheme == "http":
        raise _refused(of, f"leads from https to {shown_address(target)}", "an encrypted address")
    if host != urlsplit(first).hostname and is_private(host, port or _DEFAULT_PORTS[parts.scheme]):
        got = f"leads to {shown_address(target)}, a private address"
        raise _refused(of, got, "a redirect to an address of the open network")
    return target


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses are of one scheme, host and port, so that one may see the other's headers."""
    first, second = (
        (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))
        for parts in (urlsplit(one), urlsplit(other))
    )
    return first == second


def is_private(host: str, port: int) -> bool:
    """Whether any address of a host is not of the open network; False for a name that nobody knows."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(_is_private(str(entry[4][0])) for entry in found)


def _is_private(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(address.packed[-4:]) if address in _TRANSLATED else None
        address = address.ipv4_mapped or address.sixtofour or inner or address
    return not address.is_global or address.is_multicast


def _refused(of: str, got: str, expected: str) -> DataError:
    return DataError(
        f"{of}: the address {got}",
        expected=expected,
        next_step="write the last address itself as `url` in the product file, if you trust it",
    )
