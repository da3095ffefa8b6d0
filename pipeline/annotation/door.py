"""Checks before every route of the annotation server, and security headers on every answer.

A page of another site may be led to a loopback address by DNS rebinding, so the Host header must name this
machine where the server listens on the loopback alone. The API asks for the token of a person's link, which
browsers add to no request by themselves: another site's page cannot act for a person.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.core.addresses import is_loopback
from pipeline.core.errors import PipelineError

MAX_BODY_BYTES = 1_000_000
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class RequestError(PipelineError):
    """A request that is answered with an error.

    Args:
        status: of HTTP.
    """

    def __init__(
        self,
        status: int,
        *,
        got: str,
        expected: str,
        next_step: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(got, expected=expected, next_step=next_step)
        self.status, self.headers = status, dict(headers or {})


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with `value` as JSON, which no cache keeps."""
    return Response(
        orjson.dumps(value),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


def error_answer(
    error: PipelineError, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The JSON response for an error: got, expected, next_step."""
    body = {"got": error.got, "expected": error.expected, "next_step": error.next_step}
    return json_answer({"error": body}, status, headers)


class Door:
    """Adds the security headers, and refuses requests whose Host header is foreign.

    Args:
        loopback_only: whether the server listens on the loopback alone.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app, self._loopback_only = app, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        if self._loopback_only and not names_this_machine(Headers(scope=scope).get("host")):
            error = RequestError(
                421,
                got="a Host header that does not name this machine",
                expected="localhost, or an address of the loopback such as 127.0.0.1 or [::1]",
                next_step="open the link that `modelyard annotate` printed",
            )
            await error_answer(error, 421)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def names_this_machine(host: str | None) -> bool:
    """Whether a Host header is this machine's loopback, by name or by any of its addresses."""
    if host is None:
        return False
    name, colon, port = host.rpartition(":")
    name = name if colon and port.isdecimal() else host
    bracketed = name.startswith("[") and name.endswith("]")
    return is_loopback(name[1:-1] if bracketed else name)


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
