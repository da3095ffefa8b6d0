"""Checks before every route: the Host header, the token, and security headers on every answer.

A page that a browser has open can reach a server on a loopback address through a name that the
page's owner points at 127.0.0.1 (DNS rebinding). So the Host header must be a loopback name. A
server on another address needs a token instead.

Starlette's TrustedHostMiddleware is not used: it answers 400 in plain text, this answers 421 with
the reason and the next step, as every other refusal does.
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
    """Whether an address to listen on can be reached only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SecurityHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Guard:
    """Refuses requests with a foreign Host header, and requests to a model without the token."""

    def __init__(self, app: ASGIApp, *, token: str | None, loopback_only: bool) -> None:
        self._app, self._token, self._loopback_only = app, token, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ProtocolError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name, colon, port = host.rpartition(":")
        name = name if colon and port.isdecimal() else host
        if self._loopback_only and name.lower() not in _LOOPBACK_NAMES:
            return ProtocolError(
                421,
                got="a Host header that does not name this machine",
                expected="localhost, 127.0.0.1 or [::1]",
                next_step="open the address that the server printed when it started",
            )
        guarded = scope["path"] == "/predict" or scope["path"].startswith("/language/")
        if self._token is None or not guarded:
            return None
        # Starlette decodes headers as Latin-1, so this gives back the bytes that were sent.
        sent = headers.get("authorization", "").encode("latin-1")
        # In constant time, so that the delay of an answer does not reveal the token.
        if hmac.compare_digest(sent, f"Bearer {self._token}".encode()):
            return None
        return ProtocolError(
            401,
            got="no valid token",
            expected="the header Authorization: Bearer <token>",
            next_step="ask whoever runs this server for the token",
            headers={"www-authenticate": "Bearer"},
        )
