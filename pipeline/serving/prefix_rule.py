"""Says what a proxy's prefix may be; apart from the rest, for the supervisor imports nothing large."""

import re
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network
RULE_IN_WORDS = "a path such as /model: a slash, letters, digits, and no slash at the end"
_RULE = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_LONGEST = 200


def is_prefix(text: str) -> bool:
    """Whether a text can be a prefix."""
    return len(text) <= _LONGEST and _RULE.fullmatch(text) is not None
