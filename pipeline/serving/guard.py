"""What stands before every route: host, token, and the headers that a browser obeys.

A server on a loopback address is reached by any page that a browser has open, through a name that
its owner points at 127.0.0.1 (DNS rebinding). So the Host header must be a loopback name. A server
on another address needs a token instead.
"""

import hmac
import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serving.protocol import ProtocolError, error_response

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SecurityHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and mark the answer."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_marked if scope["type"] == "http" else send)


class Guard:
    """Refuses a foreign host, and with a token set, a question to a model without it.

    Args:
        app: what stands behind.
        token: the secret that callers of /predict and /language must bear; None asks for none.
        loopback_only: the Host header must name this machine.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, loopback_only: bool) -> None:
        self._app = app
        self._token = token
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with an error, or pass the request on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ProtocolError | None:
        headers = Headers(scope=scope)
        if self._loopback_only and _host_name(headers.get("host", "")) not in _LOOPBACK_NAMES:
            return ProtocolError(
                421,
                got="a Host header that does not name this machine",
                expected="localhost, 127.0.0.1 or [::1]",
                next_step="open the address that the server printed when it started",
            )
        if self._token is not None and _asks_a_model(scope["path"]):
            return _check_token(headers.get("authorization", ""), self._token)
        return None


def _host_name(host: str) -> str:
    """The name in a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _asks_a_model(path: str) -> bool:
    return path == "/predict" or path.startswith("/language/")


def _check_token(authorization: str, token: str) -> ProtocolError | None:
    # Headers are decoded as Latin-1: encoding so gives the bytes that came.
    # In constant time, so that the answer's delay does not spell the token.
    if hmac.compare_digest(authorization.encode("latin-1"), f"Bearer {token}".encode()):
        return None
    return ProtocolError(
        401,
        got="no valid token",
        expected="the header Authorization: Bearer <token>",
        next_step="ask whoever runs this server for the token",
        headers={"www-authenticate": "Bearer"},
    )
