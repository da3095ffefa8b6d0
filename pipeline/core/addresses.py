"""Says who can reach an address; apart from the rest, for the supervisor imports nothing large."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether an address or name, of a listener or of a request, is this machine's loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
