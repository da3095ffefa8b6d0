"""The answers to requests that are refused, late or failed, for the scheduler."""

import logging

from pipeline.core.errors import DataError
from pipeline.serving.job import Job
from pipeline.serving.protocol import ProtocolError, unfit_text

MAX_WAIT_SECONDS = 2.0
"""A request that would wait longer is refused, whatever its deadline."""
_LOGGER = logging.getLogger("modelyard.server")


def too_busy() -> ProtocolError:
    """The refusal of a request that would be answered too late."""
    return ProtocolError(
        503,
        got="a request that would wait longer than its deadline allows",
        expected=f"a wait of at most {MAX_WAIT_SECONDS:g} s, and an answer before the deadline",
        next_step="send it again in a second; X-Deadline-Ms says how long an answer is of use",
        headers={"retry-after": "1"},
    )


def too_much(job: Job, now: float) -> ProtocolError:
    """The refusal of work that would not be done by its deadline even if nothing else waited."""
    milliseconds = 1000 * (job.deadline - now)
    return ProtocolError(
        422,
        got=f"a request of about {job.remaining:,.0f} ms of work",
        expected=f"work that fits the deadline, {milliseconds:,.0f} ms from now",
        next_step="split it, or send a longer X-Deadline-Ms",
    )


def too_late(job: Job) -> ProtocolError:
    """The answer to a request whose deadline passed while it waited or was computed."""
    return ProtocolError(
        504,
        got=f"a deadline of {1000 * (job.deadline - job.arrived):,.0f} ms that has passed",
        expected="an answer before it; the machine was slower than expected",
        next_step="send it again in a second, with a longer X-Deadline-Ms if that is of use",
        headers={"retry-after": "1"},
    )


def failure_of(error: Exception) -> ProtocolError:
    """The answer to a request whose work failed."""
    if isinstance(error, DataError):
        return unfit_text(error)
    _LOGGER.error("the model failed: %s", type(error).__name__)
    return ProtocolError(
        500, got="a failure of the model", expected="an answer", next_step="see the server's log"
    )
