"""Lets the server stand below a prefix of a proxy, whether the proxy leaves the prefix on or takes it off.

    left on     `--root-path /model`: a path that begins with it is read without it; others are read as they come
    taken off   the header X-Forwarded-Prefix says so, if the connection comes from the loopback or from a proxy
                that was named; anybody else's header is passed over

Only `/openapi.json` needs to know a prefix that was taken off, for the page's addresses are relative.
"""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.core.addresses import is_loopback
from pipeline.serving.prefix_rule import RULE_IN_WORDS, Network, is_prefix
from pipeline.web.json_answers import RequestError, error_response

PREFIX = "modelyard.prefix"
"""Key of the scope: the prefix, such as `/model`, or nothing."""
_HEADER = b"x-forwarded-prefix"


class Prefixed:
    """Takes the prefix off the path of a request, and keeps it for those who name addresses.

    Args:
        root_path: the prefix that a proxy leaves on; empty for none.
        trusted: networks of proxies whose header counts, besides the loopback.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, trusted: Sequence[Network]) -> None:
        self._app, self._root_path, self._trusted = app, root_path, tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[PREFIX] = self._root_path
        named = next((value for name, value in scope["headers"] if name == _HEADER), None)
        if named is not None and self._trusts(scope):
            scope[PREFIX] = named.decode("latin-1").rstrip("/")
            if scope[PREFIX] and not is_prefix(scope[PREFIX]):
                await error_response(_malformed())(scope, receive, send)
                return
        if self._root_path and scope["path"] == self._root_path:
            # The page's addresses are relative to the slash. No Host header gets into this one.
            await RedirectResponse(f"{self._root_path}/", status_code=308)(scope, receive, send)
            return
        if self._root_path and scope["path"].startswith(f"{self._root_path}/"):
            scope["path"] = scope["path"].removeprefix(self._root_path)
            scope["raw_path"] = scope.get("raw_path", b"").removeprefix(self._root_path.encode())
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        """Whether the connection comes from a proxy whose header counts."""
        client = scope.get("client")
        if client is None:  # a socket of this machine's file system
            return True
        if is_loopback(client[0]):
            return True
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _malformed() -> RequestError:
    return RequestError(
        400,
        got="the header X-Forwarded-Prefix with something that is no prefix",
        expected=RULE_IN_WORDS,
        next_step="correct the proxy's configuration, or leave the header out",
    )
