"""Reads what the headers of a /predict request say, once for all requests of a connection that have the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.serving.deadlines import DEADLINE, deadline_seconds
from pipeline.serving.guard import Guard
from pipeline.serving.protocol import check_form
from pipeline.web.json_answers import RequestError

Headers = Sequence[tuple[bytes, bytes]]
LENGTH = b"content-length"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The decisions that are made before a body is read.

    Attributes:
        headers: those that it was read from, without the body's length.
        refusal: why the request is not read; None where it is.
        inflates: whether the body is compressed with gzip.
        deadline: seconds after its arrival in which an answer is of use.
        trusted: whether its caller may know which model serves.
    """

    headers: Headers
    refusal: RequestError | None
    inflates: bool = False
    deadline: float = 0.0
    trusted: bool = False


def read_head(headers: Headers, *, http_version: str, guard: Guard) -> RequestHead:
    """Reads headers whose names are in lower case; of a name that comes twice, the first."""
    known = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(headers)}
    header, trusted = known.get, False
    try:
        guard.check_host(header("host"), http_version=http_version)
        trusted = guard.check_trusted(header("authorization", ""), "/predict")
        deadline = deadline_seconds(header(DEADLINE, ""))
        return RequestHead(headers, None, check_form(header), deadline, trusted)
    except RequestError as refusal:
        return RequestHead(headers, refusal, trusted=trusted)
