"""Keeps what becomes known of a request on its way through the application."""

from dataclasses import dataclass

from starlette.types import Scope

from pipeline.serving.answer import Answer
from pipeline.serving.hot_swap import ServedModel

NOTES = "modelyard.notes"
"""Key of the scope."""
NOT_ANSWERED = 499
"""Status in counters and log of a request whose client left before the answer began; nobody is sent it."""


@dataclass(slots=True)
class Notes:
    """Facts about one request.

    Attributes:
        arrived: when its headers had come, by the performance counter.
        model: the model that answers it, where one is asked.
        answer: of the model to its texts.
        status: of the answer, once it has begun; `size`: bytes of its body so far.
    """

    arrived: float
    model: ServedModel | None = None
    answer: Answer | None = None
    status: int = NOT_ANSWERED
    size: int = 0


def notes_of(scope: Scope) -> Notes:
    """The notes of a request."""
    notes: Notes = scope[NOTES]
    return notes
