"""Checks before every route: the Host header, the token, and security headers on every answer.

A page that a browser has open can reach a server on a loopback address through a name that the
page's owner points at 127.0.0.1 (DNS rebinding). So the Host header must be a loopback name or address. A
server on another address needs a token instead.

Starlette's TrustedHostMiddleware is not used: it answers 400 in plain text, this answers 421 with
the reason and the next step, as every other refusal does.
"""

import base64
import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.core.addresses import is_loopback
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
TRUSTED = "modelyard.trusted"
"""Key of the scope: whether the request may see more than a bare readiness."""

FREE = frozenset({"/health/live", "/health/ready"})
_BASIC = 'Basic realm="modelyard: any name, the token as password", charset="UTF-8"'


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
    """Refuses requests with a foreign Host header and, where a token is set, those without it.

    Everything asks for the token but what a load balancer needs: `/health/live`, and `/health/ready`,
    which then says `ready` or `waiting` alone. The scope's `TRUSTED` tells the routes which it is.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, loopback_only: bool) -> None:
        self._app, self._loopback_only = app, loopback_only
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ProtocolError | None:
        headers = Headers(scope=scope)
        if self._loopback_only and not _names_this_machine(headers.get("host"), scope):
            return ProtocolError(
                421,
                got="a Host header that does not name this machine",
                expected="localhost, or an address of the loopback such as 127.0.0.1 or [::1]",
                next_step="open the address that the server printed when it started",
            )
        scope[TRUSTED] = self._token is None or _sends(headers, self._token)
        return None if scope[TRUSTED] or scope["path"] in FREE else _unauthorised(scope["path"])


def _names_this_machine(host: str | None, scope: Scope) -> bool:
    """Whether a request's Host header is this machine's loopback, by name or by any of its addresses.

    HTTP/1.0 needs no such header. No browser speaks it, and only a browser can be led here.
    """
    if host is None:
        return str(scope["http_version"]) == "1.0"
    name, colon, port = host.rpartition(":")
    name = name if colon and port.isdecimal() else host
    bracketed = name.startswith("[") and name.endswith("]")
    return is_loopback(name[1:-1] if bracketed else name)


def _sends(headers: Headers, token: bytes) -> bool:
    """Whether a request carries the token: as Bearer, or as the password of Basic, as browsers do."""
    # Starlette decodes headers as Latin-1, so this gives back the bytes that were sent.
    scheme, _, sent = headers.get("authorization", "").encode("latin-1").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            sent = base64.b64decode(sent, validate=True).partition(b":")[2]
        except ValueError:
            return False
    elif scheme.lower() != b"bearer":
        return False
    # In constant time, so that the delay of an answer does not reveal the token.
    return hmac.compare_digest(sent.strip(), token)


def _unauthorised(path: str) -> ProtocolError:
    # A browser asks its user for a password at the page alone, not in the middle of a script.
    page = path == "/"
    return ProtocolError(
        401,
        got="no valid token",
        expected="the header Authorization: Bearer <token>, or the token as a browser's password",
        next_step="ask whoever runs this server for the token",
        headers={"www-authenticate": _BASIC if page else "Bearer"},
    )
