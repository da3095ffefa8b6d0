"""A request for /predict on its short way, and what all connections of a server share (`http_protocol.py`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.serving.answer import Answer
from pipeline.serving.connection_limits import ConnectionLimits
from pipeline.serving.drain import RunningRequests
from pipeline.serving.guard import Guard
from pipeline.serving.job import Job
from pipeline.serving.request_head import RequestHead
from pipeline.serving.text_route import ANSWER_HEADERS, TextRoute
from pipeline.web.json_answers import lines_of


@dataclass(eq=False)
class Shared:
    """The parts that all connections of a server have in common.

    Attributes:
        headers: of every answer: the security headers.
        names: gives the headers that name the model which serves.
        watchers: are told of each answer that is given here, refusals among them, once it is written.
    """

    texts: TextRoute
    guard: Guard
    running: RunningRequests
    limits: ConnectionLimits
    headers: list[tuple[bytes, bytes]]
    names: Callable[[], list[tuple[bytes, bytes]]]
    watchers: Sequence[Callable[["Outcome"], None]] = ()
    _dated: list[tuple[bytes, bytes]] | None = None
    _head: bytes = b""

    def head(self, dated: list[tuple[bytes, bytes]]) -> bytes:
        """The lines of the headers that every answer has; `dated` are uvicorn's, new each second."""
        if dated is not self._dated:
            self._dated = dated
            self._head = lines_of([*dated, *ANSWER_HEADERS, *self.headers])
        return self._head


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a request for /predict.

    Attributes:
        answer: None where it was refused.
        seconds: from the end of its headers to the answer's.
        size: bytes of the answer's body.
    """

    status: int
    head: RequestHead
    answer: Answer | None
    seconds: float
    size: int


@dataclass(eq=False, slots=True)
class Exchange:
    """A request for /predict and its answer; stands where uvicorn has its cycle."""

    keep_alive: bool
    head: RequestHead
    arrived: float
    body: bytearray = field(default_factory=bytearray)
    job: Job | None = None
    discarded: int = 0
    more_body: bool = True
    response_complete: bool = False
    disconnected: bool = False

    @property
    def message_event(self) -> "Exchange":
        return self

    def set(self) -> None:
        """Does nothing: uvicorn wakes a waiting application so, and none waits here."""
