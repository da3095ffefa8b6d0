"""Checks before every route of the annotation server: the Host header, the token, the body.

The API asks for the token of a person's link, which browsers add to no request by themselves: another site's
page cannot act for a person.
"""

from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.browser_safety import foreign_host
from pipeline.web.json_answers import RequestError, error_response

MAX_BODY_BYTES = 1_000_000


class Door:
    """Refuses requests whose Host header is foreign.

    Args:
        loopback_only: whether the server listens on the loopback alone; else every host is its own.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app, self._loopback_only = app, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = None
        if scope["type"] == "http" and self._loopback_only:
            refused = foreign_host(
                Headers(scope=scope).get("host"),
                http_version=str(scope["http_version"]),
                next_step="open the link that `modelyard annotate` printed",
            )
        await (self._app if refused is None else error_response(refused))(scope, receive, send)


def token_of(request: Request) -> str:
    """The token of `Authorization: Bearer`; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def json_of(request: Request) -> Any:
    """The JSON of a request's body; never more of it than `MAX_BODY_BYTES` is kept.

    Raises:
        RequestError: 413, 415 or 400.
    """
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named != "application/json":
        raise RequestError(
            415,
            got=f"content type {named[:80]!r}",
            expected="application/json",
            next_step="set the header Content-Type: application/json",
        )
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise RequestError(
                413,
                got=f"a body of more than {MAX_BODY_BYTES:,} bytes",
                expected=f"at most {MAX_BODY_BYTES:,} bytes",
                next_step="send the events in several requests",
                headers={"connection": "close"},
            )
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise RequestError(
            400,
            got=f"a body that is not JSON: {error}",
            expected="a list of events",
            next_step='send [{"uid": "…", "event": "vote", "row": "…", "labels": ["…"]}]',
        ) from None
