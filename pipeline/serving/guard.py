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

FREE = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
_BASIC = 'Basic realm="modelyard: any name, the token as password", charset="UTF-8"'


class Guard:
    """Decides whether a request may be answered: by its Host header and, where one is set, its token.

    Everything asks for the token but what a load balancer needs: `/health/live`, and `/health/ready`,
    which then says `ready` or `waiting` alone, and the same two below `/v2`.
    """

    def __init__(self, *, token: str | None, loopback_only: bool) -> None:
        self._loopback_only = loopback_only
        self._token = None if token is None else token.encode()

    def check_host(self, host: str | None, *, http_version: str) -> None:
        """Refuses a Host header that does not name this machine, where only this machine may ask.

        Raises:
            RequestError: 421.
        """
        if not self._loopback_only:
            return
        foreign = foreign_host(
            host,
            http_version=http_version,
            next_step="open the address that the server printed when it started",
        )
        if foreign is not None:
            raise foreign

    def trusts(self, authorization: str) -> bool:
        """Whether a request with this header, or an empty one, carries the token, if one is set."""
        return self._token is None or _sends(authorization, self._token)

    def check_trusted(self, authorization: str, path: str) -> bool:
        """Whether a request may see more than a bare readiness.

        Raises:
            RequestError: 401, it may not even see that.
        """
        trusted = self.trusts(authorization)
        if trusted or path in FREE:
            return trusted
        raise _unauthorised(path)


class GuardedApp:
    """An application behind a guard; the scope's `TRUSTED` tells the routes what a request may see."""

    def __init__(self, app: ASGIApp, *, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["type"] == "http":
                headers = Headers(scope=scope)
                self._guard.check_host(headers.get("host"), http_version=str(scope["http_version"]))
                authorization = headers.get("authorization", "")
                scope[TRUSTED] = self._guard.check_trusted(authorization, scope["path"])
        except RequestError as refusal:
            await error_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _sends(authorization: str, token: bytes) -> bool:
    """Whether a header carries the token: as Bearer, or as the password of Basic, as browsers do."""
    # Headers are decoded as Latin-1, so this gives back the bytes that were sent.
    scheme, _, sent = authorization.encode("latin-1").partition(b" ")
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
