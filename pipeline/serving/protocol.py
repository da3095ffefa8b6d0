"""Parses request bodies, and gives every error the same shape.

Nothing here knows a model: bytes come in, texts or pairs go out, or an error that says what came,
what was expected and what to do next. Limits are checked before the work that they limit.
"""

import asyncio
import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from pipeline.core.errors import DataError
from pipeline.runtime.task import Request as TextRequest
from pipeline.serving.body_shapes import ShapeError, read_forms
from pipeline.web.json_answers import RequestError

MAX_BODY_BYTES = 1_000_000
BODY_SECONDS = 8.0
_UTF8 = ("utf-8", "utf8", "us-ascii")
_CODINGS = ("gzip", "x-gzip", "deflate")
_EITHER_HEADER = zlib.MAX_WBITS | 32
"""Lets zlib tell by the stream itself whether it is gzip's or zlib's, which HTTP calls deflate."""
_EXAMPLE = 'send {"text": "one text"} or {"texts": ["one", "two"]}'
_PAIR_EXAMPLE = 'send {"text": "first", "second": "second"} or {"pairs": [["first", "second"]]}'
_SINGLE, _PAIRED = "a JSON object with 'text' or 'texts'", "'text' with 'second', or 'pairs'"


class ProtocolError(RequestError):
    """A refused request; `sending`: its body may not have ended yet."""

    def __init__(
        self,
        status: int,
        *,
        got: str,
        expected: str,
        next_step: str,
        headers: Mapping[str, str] | None = None,
        sending: bool = False,
    ) -> None:
        super().__init__(status, got=got, expected=expected, next_step=next_step, headers=headers)
        self.sending = sending


async def read_requests(request: Request) -> list[TextRequest]:
    """The texts or pairs of a /predict request; its body may be compressed."""
    check_content_type(request.headers.get("content-type", ""))
    return parse_requests(await read_body(request))


async def read_body(request: Request) -> bytes:
    """The body as it was before a client compressed it.

    Raises:
        ProtocolError: 400, it is not what Content-Encoding says; 408, it does not end; 413, it is too
            large; 415, it is compressed in a way that is not known here.
        ClientDisconnect: the client left.
    """
    inflates = _is_compressed(request.headers.get("content-encoding", ""))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read_body(request)
    except TimeoutError:
        raise too_slow() from None
    return inflate(body) if inflates else body


def check_form(header: Callable[[str, str], str]) -> bool:
    """Refuses a body that is not JSON in UTF-8 by its headers; True where it is compressed."""
    content_type = header("content-type", "")
    if content_type != "application/json":
        check_content_type(content_type)
    coding = header("content-encoding", "")
    return bool(coding) and _is_compressed(coding)


def unfit_text(error: DataError) -> ProtocolError:
    """The refusal of a text that the model cannot read."""
    return ProtocolError(422, got=error.got, expected=error.expected, next_step=error.next_step)


def too_slow() -> ProtocolError:
    """The refusal of a body that does not come to its end."""
    return ProtocolError(
        408,
        got=f"a body that did not end within {BODY_SECONDS:g} seconds",
        expected="the whole body at once",
        next_step="send the request again",
        headers={"connection": "close"},
    )


def require_shape(requests: list[TextRequest], *, pairs: bool) -> None:
    """Refuses pairs if the model reads single texts, and single texts if it reads pairs."""
    if isinstance(requests[0], str) == pairs:
        raise ProtocolError(
            422,
            got=f"{'a single text' if pairs else 'a pair'} for a model that reads "
            f"{'pairs' if pairs else 'single texts'}",
            expected=_PAIRED if pairs else _SINGLE,
            next_step=_PAIR_EXAMPLE if pairs else _EXAMPLE,
        )


def parse_requests(body: bytes | bytearray) -> list[TextRequest]:
    """The 1 to `MAX_TEXTS` texts or pairs of a JSON body; no text may be blank.

    Raises:
        ProtocolError: 400 for what is not JSON, 422 for JSON of another shape.
    """
    try:
        return read_forms(parse_json(body, expected=_SINGLE, next_step=_EXAMPLE))
    except ShapeError as error:
        raise unfit(error, expected=_SINGLE, next_step=_EXAMPLE) from None


def unfit(error: ShapeError, *, expected: str, next_step: str) -> ProtocolError:
    """The refusal of a body of another shape; what the shape does not say is said here."""
    return ProtocolError(
        422,
        got=error.got,
        expected=error.expected or expected,
        next_step=error.next_step or next_step,
    )


def parse_json(body: bytes | bytearray, *, expected: str, next_step: str) -> Any:
    """The value of a JSON body; a byte order mark before it is passed over.

    Args:
        expected: what was wanted instead, where it is no JSON.
        next_step: what the sender may do then.

    Raises:
        ProtocolError: 400, it is not JSON in UTF-8.
    """
    # Windows PowerShell 5 and .NET write a mark before UTF-8.
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not _is_utf8(body):
            raise _not_utf8("a body in another encoding than UTF-8", status=400) from None
        # Versions of orjson say "recursion limit" or "depth limit".
        deep = "recursion" in str(error).lower() or "depth" in str(error).lower()
        raise ProtocolError(
            400,
            got="JSON that is nested too deep" if deep else f"a body that is not JSON: {error}",
            expected=expected,
            next_step=next_step,
        ) from None


def check_content_type(content_type: str) -> None:
    """Refuses every type but JSON in UTF-8."""
    named, _, rest = content_type.partition(";")
    if named.strip().lower() != "application/json":
        # A page of another origin cannot send this type without a preflight request.
        raise ProtocolError(
            415,
            got=f"content type {content_type[:80]!r}",
            expected="application/json",
            next_step="set the header Content-Type: application/json",
        )
    charset = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", rest, re.IGNORECASE)
    if charset and charset[1].lower() not in _UTF8:
        raise _not_utf8(f"a body in charset {charset[1][:40]!r}", status=415)


def _is_compressed(content_encoding: str) -> bool:
    """Whether the body is compressed; refuses every other coding than gzip and deflate."""
    coding = content_encoding.strip().lower()
    if coding in ("", "identity"):
        return False
    if coding not in _CODINGS:
        raise ProtocolError(
            415,
            got=f"Content-Encoding: {content_encoding[:40]}",
            expected="Content-Encoding: gzip or deflate, or a body that is not compressed",
            next_step="leave the header out and send the JSON as it is",
            headers={"accept-encoding": "gzip, deflate"},
        )
    return True


def inflate(body: bytes) -> bytes:
    """The content of a compressed body; never more of it than the limit is unpacked."""
    stream = zlib.decompressobj(_EITHER_HEADER)
    try:
        found = stream.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        found = b""
    if len(found) > MAX_BODY_BYTES:
        raise too_large(
            f"a body of more than {MAX_BODY_BYTES:,} bytes after gzip or deflate", more=False
        )
    if not stream.eof or stream.unused_data:
        raise ProtocolError(
            400,
            got="a body that is not one whole gzip or deflate stream, as Content-Encoding says",
            expected="what gzip, or zlib for deflate, makes of the body",
            next_step="leave the header out and send the body as it is",
        )
    return found


def _is_utf8(body: bytes | bytearray) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    # UTF-16 and UTF-32 of ASCII are valid UTF-8, but no JSON holds a zero byte.
    return b"\0" not in body


def _not_utf8(got: str, *, status: int) -> ProtocolError:
    return ProtocolError(
        status,
        got=got,
        expected="JSON in UTF-8",
        next_step="encode the body as UTF-8, with Content-Type: application/json; charset=utf-8",
    )


async def _read_body(request: Request) -> bytes:
    """The body; never more of it than the limit is kept in memory."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        # A client that waits for "100 Continue" has not begun to send.
        waits = request.headers.get("expect", "").lower() == "100-continue"
        raise too_large(f"a body of {int(declared):,} bytes", more=not waits)
    # Not request.stream(), which does not say whether the piece that passed the limit was the last.
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise too_large(f"a body of more than {MAX_BODY_BYTES:,} bytes", more=more)
    return bytes(body)


def too_large(got: str, *, more: bool) -> ProtocolError:
    """The refusal of a body over the limit; `more`: its rest still comes."""
    return ProtocolError(
        413,
        got=got,
        expected=f"at most {MAX_BODY_BYTES:,} bytes",
        next_step="send fewer or shorter texts in one request",
        headers={"connection": "close"},
        sending=more,
    )
