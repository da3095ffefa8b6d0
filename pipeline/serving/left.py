"""Tells whoever works for a request that its client has gone."""

from collections.abc import Callable, MutableMapping
from typing import Any

LEFT = "modelyard.left"
"""Key of the scope: a list of what to call when the client closes the connection before its answer."""


def on_leaving(scope: MutableMapping[str, Any], call: Callable[[], None]) -> None:
    """Calls `call` if the client of a request goes before its answer; a test's client has no such list."""
    if LEFT in scope:
        scope[LEFT].append(call)
