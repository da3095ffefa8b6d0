"""Reads how long an answer is of use to a client: the header `X-Deadline-Ms`."""

from pipeline.serving.protocol import ProtocolError

DEADLINE = "x-deadline-ms"
DEFAULT_DEADLINE_SECONDS = 10.0
_MOST_MS = 600_000


def deadline_seconds(header: str) -> float:
    """The seconds that a header grants from a request's arrival on; it may be empty.

    Raises:
        ProtocolError: 400, the header is no number of milliseconds.
    """
    if not header:
        return DEFAULT_DEADLINE_SECONDS
    milliseconds = int(header) if header.isascii() and header.isdecimal() and len(header) < 8 else 0
    if not 1 <= milliseconds <= _MOST_MS:
        raise ProtocolError(
            400,
            got=f"X-Deadline-Ms: {header[:40]}",
            expected=f"a whole number of milliseconds, 1 to {_MOST_MS}",
            next_step="leave the header out, or say how long an answer is of use",
        )
    return milliseconds / 1000
