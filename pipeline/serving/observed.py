"""Lets every answer of the application tell of itself: headers for its caller, counters, a line for the log.

    Model-Version, Bundle-Hash   the model that gave the answer; where none was asked, the one that serves
    Server-Timing                milliseconds in the queue, for its tokens, in the model, and in all

Callers without the token learn nothing of the model.
"""

import logging
import traceback
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serving.answer_watch import Watch
from pipeline.serving.guard import TRUSTED
from pipeline.serving.notes import NOT_ANSWERED, NOTES, Notes, notes_of
from pipeline.web.json_answers import RequestError, error_response

_LOGGER = logging.getLogger("modelyard.server")


class Observed:
    """Watches each request from its headers to the end of its answer."""

    def __init__(self, app: ASGIApp, *, watch: Watch) -> None:
        self._app, self._watch = app, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = scope[NOTES] = Notes(perf_counter())

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.status = message["status"]
                timing = server_timing(notes, seconds=perf_counter() - notes.arrived)
                names = self._watch.names(notes.model) if scope.get(TRUSTED) else ()
                message["headers"] = [*message["headers"], (b"server-timing", timing), *names]
            elif "body" in message:
                notes.size += len(message["body"])
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._watch.answered(
                scope["method"],
                self._watch.route_of(scope.get("endpoint")),
                notes.status,
                headers=scope["headers"],
                seconds=perf_counter() - notes.arrived,
                size=notes.size,
                answer=notes.answer,
            )


class Failures:
    """Answers 500 with the usual shape where the code below fails, and logs where it did.

    The message of what was raised could hold a text, which must not reach the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or notes_of(scope).status != NOT_ANSWERED:
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{frame.filename}:{frame.lineno}"
            _LOGGER.error("a request failed: %s in %s", type(error).__name__, place)
            await error_response(_failure())(scope, receive, send)


def server_timing(notes: Notes, *, seconds: float) -> bytes:
    """The value of the header: what is known, in milliseconds."""
    total = b"total;dur=%.3f" % (1000 * seconds)
    return total if notes.answer is None else b"%b, %b" % (notes.answer.timing(), total)


def _failure() -> RequestError:
    return RequestError(
        500, got="a failure of the server", expected="an answer", next_step="see the server's log"
    )
