"""Checks before every route: the Host header (see browser_safety.py) and the token.

A server on another address than the loopback needs a token instead of a Host header.
"""

import base64
import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.browser_safety import foreign_host
from pipeline.web.json_answers import RequestError, error_response

TRUSTED = "modelyard.trusted"
"""Key of the scope: whether the request may see more than a bare readiness."""

FREE = frozenset({"/health/live", "/health/ready"})
_BASIC = 'Basic realm="modelyard: any name, the token as password", charset="UTF-8"'


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

    def _refusal(self, scope: Scope) -> RequestError | None:
        headers = Headers(scope=scope)
        if self._loopback_only:
            foreign = foreign_host(
                headers.get("host"),
                http_version=str(scope["http_version"]),
                next_step="open the address that the server printed when it started",
            )
            if foreign is not None:
                return foreign
        scope[TRUSTED] = self._token is None or _sends(headers, self._token)
        return None if scope[TRUSTED] or scope["path"] in FREE else _unauthorised(scope["path"])


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


def _unauthorised(path: str) -> RequestError:
    # A browser asks its user for a password at the page alone, not in the middle of a script.
    page = path == "/"
    return RequestError(
        401,
        got="no valid token",
        expected="the header Authorization: Bearer <token>, or the token as a browser's password",
        next_step="ask whoever runs this server for the token",
        headers={"www-authenticate": _BASIC if page else "Bearer"},
    )
