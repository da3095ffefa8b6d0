"""Answers of our servers as JSON: values, and errors that say what came, what was expected, what to do."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from pipeline.core.errors import PipelineError


class RequestError(PipelineError):
    """A request that is answered with an error.

    Args:
        status: of HTTP.
        headers: of the answer, beside the usual ones.
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


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with `value` as JSON, which no cache keeps."""
    return Response(
        orjson.dumps(value),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


def error_response(error: RequestError) -> Response:
    """The JSON response for `error`."""
    return told(error, error.status, error.headers)


def told(error: PipelineError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The JSON response for an error of any kind: got, expected, next_step."""
    return json_response({"error": _described(error)}, status, headers)


def error_body(error: PipelineError) -> bytes:
    """The JSON of an error, for who writes the answer himself."""
    return orjson.dumps({"error": _described(error)})


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as lines of HTTP, for who writes the answer himself."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def _described(error: PipelineError) -> dict[str, str]:
    return {"got": error.got, "expected": error.expected, "next_step": error.next_step}
