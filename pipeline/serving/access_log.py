"""The access log: one JSON object a line for each answer, without texts, addresses or tokens.

    {"time": "2026-12-01T16:00:00.123456+00:00", "method": "POST", "route": "/predict", "status": 200,
     "milliseconds": 0.9, "bytes": 214, "texts": 1, "queue": 0.02, "tokens": 0.06, "model": 0.6, "version": "3f…", "trace": "4b…"}

`queue`, `tokens` and `model` are milliseconds before the work, to clean and tokenize, and in the model.

`route` is the route, not the path that was sent, which could hold a text. `trace` is the trace id of the request's
header `traceparent` (W3C Trace Context), by which lines of several services are put together.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import orjson

from pipeline.serving.options import STANDARD_OUTPUT

_TRACE_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


class AccessLog:
    """A file to whose end lines are written; the supervisor keeps it short, as it does the server's log."""

    def __init__(self, file: Path) -> None:
        """Opens the file, or takes the server's own output for `-`."""
        self._descriptor = 1
        if file != STANDARD_OUTPUT:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, line: Mapping[str, object]) -> bool:
        """Writes one line; False where it has no room. An answer never fails for its line in a log."""
        # One call, so that the lines of several workers do not mix.
        text = orjson.dumps(line) + b"\n"
        try:
            return os.write(self._descriptor, text) == len(text)
        except OSError:
            return False


def trace_id(traceparent: str | None) -> str | None:
    """The trace id in a `traceparent` header; None where there is none that is well formed."""
    found = _TRACE_PARENT.fullmatch(traceparent or "")
    return None if found is None else found[1]
