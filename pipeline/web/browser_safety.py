"""Keeps other pages of a browser away from our servers: security headers, and the Host header's check.

A page that a browser has open can reach a server on a loopback address through a name that the
page's owner points at 127.0.0.1 (DNS rebinding). So the Host header must be a loopback name or address.

Starlette's TrustedHostMiddleware is not used: it answers 400 in plain text, this answers 421 with
the reason and the next step, as every other refusal does.
"""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.core.addresses import is_loopback
from pipeline.web.json_answers import RequestError

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def security_headers(allowed: Mapping[str, str]) -> dict[str, str]:
    """The headers of every answer; `allowed`: directive → its sources, where a page needs others."""
    policy = "; ".join(f"{name} {sources}" for name, sources in {**_POLICY, **allowed}.items())
    return {"content-security-policy": policy, **_HEADERS}


class SecurityHeaders:
    """Adds the security headers to every answer; one that has been added within stays.

    Args:
        allowed: directive of the content security policy → its sources, where a page needs others.
    """

    def __init__(self, app: ASGIApp, *, allowed: Mapping[str, str]) -> None:
        self._app, self._headers = app, security_headers(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def foreign_host(host: str | None, *, http_version: str, next_step: str) -> RequestError | None:
    """The refusal of a Host header that does not name this machine's loopback; None where it does.

    HTTP/1.0 needs no such header. No browser speaks it, and only a browser can be led here.
    """
    if host is None and http_version == "1.0":
        return None
    name, colon, port = (host or "").rpartition(":")
    name = name if colon and port.isdecimal() else (host or "")
    bracketed = name.startswith("[") and name.endswith("]")
    if is_loopback(name[1:-1] if bracketed else name):
        return None
    return RequestError(
        421,
        got="a Host header that does not name this machine",
        expected="localhost, or an address of the loopback such as 127.0.0.1 or [::1]",
        next_step=next_step,
    )
