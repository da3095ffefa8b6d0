"""Parses request bodies, and gives every error the same shape.

Nothing here knows a model: bytes come in, texts or pairs go out, or an error that says what came,
what was expected and what to do next. Limits are checked before the work that they limit.
"""

import asyncio
import codecs
import re
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from pipeline.runtime.task import Request as TextRequest
from pipeline.web.json_answers import RequestError

MAX_BODY_BYTES = 1_000_000
MAX_TEXTS = 64
BODY_SECONDS = 10.0
_UTF8 = ("utf-8", "utf8", "us-ascii")
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
    """The texts or pairs of a /predict request; its body may be compressed with gzip."""
    _check_content_type(request.headers.get("content-type", ""))
    inflates = _is_gzip(request.headers.get("content-encoding", ""))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read_body(request)
    except TimeoutError:
        raise ProtocolError(
            408,
            got=f"a body that did not end within {BODY_SECONDS:g} seconds",
            expected="the whole body at once",
            next_step="send the request again",
            headers={"connection": "close"},
        ) from None
    return parse_requests(_inflate(body) if inflates else body)


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


def parse_requests(body: bytes) -> list[TextRequest]:
    """The 1 to `MAX_TEXTS` texts or pairs of a JSON body; no text may be blank.

    Raises:
        ProtocolError: 400 for what is not JSON, 422 for JSON of another shape.
    """
    value = _parse_json(body)
    if not isinstance(value, dict):
        raise _unfit(f"{_kind(value)} at the top")
    if unknown := sorted(value.keys() - {"text", "texts", "second", "pairs"}):
        raise _unfit(f"the unknown key {unknown[0][:40]!r}")
    match value:
        case {"text": text, "second": second} if len(value) == 2:
            return [(_check_text(text, "text"), _check_text(second, "second"))]
        case {"text": text} if len(value) == 1:
            return [_check_text(text, "text")]
        case {"texts": texts} if len(value) == 1:
            texts = _check_list(texts, "texts")
            return [_check_text(text, f"texts[{number}]") for number, text in enumerate(texts)]
        case {"pairs": pairs} if len(value) == 1:
            return _check_pairs(pairs)
    together = " and ".join(f"'{key}'" for key in sorted(value))
    raise _unfit(f"{together} together" if len(value) > 1 else together or "an empty object")


def _check_pairs(pairs: Any) -> list[TextRequest]:
    found: list[TextRequest] = []
    for number, pair in enumerate(_check_list(pairs, "pairs")):
        name = f"pairs[{number}]"
        if not isinstance(pair, list) or len(pair) != 2:
            size = f" of {len(pair)}" if isinstance(pair, list) else ""
            raise _unfit(f"{_kind(pair)}{size} as '{name}'", expected="a list of two texts")
        found.append((_check_text(pair[0], f"{name}[0]"), _check_text(pair[1], f"{name}[1]")))
    return found


def _check_list(values: Any, name: str) -> list[Any]:
    if not isinstance(values, list):
        raise _unfit(f"{_kind(values)} as '{name}'", expected=f"a list of {name}")
    if not values:
        raise _unfit("an empty list", expected=f"1 to {MAX_TEXTS} {name}")
    if len(values) > MAX_TEXTS:
        raise ProtocolError(
            422,
            got=f"{len(values)} {name}",
            expected=f"at most {MAX_TEXTS} {name} in one request",
            next_step="send them in several requests",
        )
    return values


def _check_text(text: Any, name: str) -> str:
    if not isinstance(text, str):
        raise _unfit(f"{_kind(text)} as '{name}'", expected="a text")
    if not text.strip():
        raise _unfit(f"an empty text as '{name}'", expected="a text with at least one character")
    return text


def _parse_json(body: bytes) -> Any:
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
            expected=_SINGLE,
            next_step=_EXAMPLE,
        ) from None


def _kind(value: Any) -> str:
    # A bool is an int in Python, but the sender wrote true or false.
    if value is None or isinstance(value, bool):
        return orjson.dumps(value).decode()
    names = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names[type(value)]


def _unfit(got: str, expected: str | None = None) -> ProtocolError:
    expected = expected or f"{_SINGLE}; for a model that reads pairs, {_PAIRED}"
    return ProtocolError(422, got=got, expected=expected, next_step=_EXAMPLE)


def _check_content_type(content_type: str) -> None:
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


def _is_gzip(content_encoding: str) -> bool:
    """Whether the body is compressed; refuses every other coding than gzip."""
    coding = content_encoding.strip().lower()
    if coding in ("", "identity"):
        return False
    if coding not in ("gzip", "x-gzip"):
        raise ProtocolError(
            415,
            got=f"Content-Encoding: {content_encoding[:40]}",
            expected="Content-Encoding: gzip, or a body that is not compressed",
            next_step="leave the header out and send the JSON as it is",
            headers={"accept-encoding": "gzip"},
        )
    return True


def _inflate(body: bytes) -> bytes:
    """The content of a gzip body; never more of it than the limit is unpacked."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = stream.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        found = b""
    if len(found) > MAX_BODY_BYTES:
        raise _too_large(f"a body of more than {MAX_BODY_BYTES:,} bytes after gzip", more=False)
    if not stream.eof or stream.unused_data:
        raise ProtocolError(
            400,
            got="a body that is not one whole gzip stream, as Content-Encoding: gzip says",
            expected="what gzip makes of the JSON",
            next_step="leave the header out and send the JSON as it is",
        )
    return found


def _is_utf8(body: bytes) -> bool:
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
        raise _too_large(f"a body of {int(declared):,} bytes", more=not waits)
    # Not request.stream(), which does not say whether the piece that passed the limit was the last.
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large(f"a body of more than {MAX_BODY_BYTES:,} bytes", more=more)
    return bytes(body)


def _too_large(got: str, *, more: bool) -> ProtocolError:
    return ProtocolError(
        413,
        got=got,
        expected=f"at most {MAX_BODY_BYTES:,} bytes",
        next_step="send fewer or shorter texts in one request",
        headers={"connection": "close"},
        sending=more,
    )
