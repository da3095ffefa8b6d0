"""The HTTP application: the routes, over a `ModelHolder` that the caller passes in.

POST /predict      {"text": ".."} or {"texts": [..]} → an answer to each; for pairs
                   {"text": "..", "second": ".."} or {"pairs": [["..", ".."], ..]}
GET  /health/live  the process answers         GET /health/ready  a model is loaded and warm
GET  /model        the model and its figures   GET /model/card    its model card
POST /language/…   cost, next, fill, embeddings: see pipeline/serving/language.py
GET  /metrics      counters, for Prometheus      GET /openapi.json  these routes, for machines
     /v2/…         the Open Inference Protocol v2: see pipeline/serving/open_inference.py
…    /feedback, /model/certificate, /browser/: see pipeline/serving/demo_routes.py
GET  /             the demo page
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from pipeline.serving.answer_watch import Watch
from pipeline.serving.asked_model import asked_model, described
from pipeline.serving.canary import Canary, no_canary
from pipeline.serving.demo_routes import DemoExtras, demo_routes
from pipeline.serving.description_routes import description_routes
from pipeline.serving.guard import TRUSTED, Guard, GuardedApp
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.language import language_routes
from pipeline.serving.notes import notes_of
from pipeline.serving.observed import Failures, Observed
from pipeline.serving.open_inference import Current, ErrorTexts, open_inference_routes
from pipeline.serving.protocol import ProtocolError
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.surroundings import Surroundings
from pipeline.serving.text_route import Observer, TextRoute
from pipeline.web.browser_safety import SecurityHeaders, security_headers
from pipeline.web.json_answers import error_response, json_response

_LOGGER = logging.getLogger("modelyard.server")
STATIC = Path(__file__).parent / "static"
DISCARD_BYTES = 16_000_000
DISCARD_SECONDS = 2.0
_ROUTES = (
    "POST /predict, POST /language/{cost,next,fill,embeddings}, "
    "GET /, /model, /model/card, /model/certificate, /health/live, /health/ready, /metrics, "
    "/openapi.json, /v2, /v2/models/NAME, POST /v2/models/NAME/infer"
)
_RETRY = {"retry-after": "1"}
_ALLOWED = {"img-src": "'self' data:"}
Background = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Serving:
    """The application, and the parts of it that a connection uses without it (`http_protocol.py`)."""

    app: Starlette
    texts: TextRoute
    guard: Guard
    headers: Mapping[str, str]
    watch: Watch


def create_app(holder: ModelHolder, **options: Any) -> Starlette:
    """Makes the application alone, for a server that knows nothing of `http_protocol.py`; see `create_serving`."""
    return create_serving(holder, **options).app


def create_serving(
    holder: ModelHolder,
    *,
    scheduler: Scheduler,
    background: Sequence[Background] = (),
    token: str | None = None,
    loopback_only: bool = True,
    observers: Sequence[Observer] = (),
    canary: Canary = no_canary,
    surroundings: Surroundings | None = None,
    extras: DemoExtras = DemoExtras(),  # noqa: B008 - frozen
) -> Serving:
    """Makes the application; `holder` may be empty at first, `scheduler` is closed at the end.

    Args:
        background: tasks that run beside the requests, such as `PointerFollower.follow`.
        token: the token that callers must send, but for a bare /health; None needs none.
        loopback_only: refuse requests whose Host header does not name this machine.
        observers: are told of each answer to /predict once it is sent.
        canary: asked at each /predict which model answers in place of the one that serves.
        surroundings: how it is watched, and the proxy before it; None for neither.
        extras: what the demo page offers beside answers.
    """
    surroundings = surroundings or Surroundings()
    texts = TextRoute(partial(_current, holder), scheduler, observers, canary)
    current = partial(_answering, holder)
    guard = Guard(token=token, loopback_only=loopback_only)
    routes = [
        Route("/", _page),
        Route("/predict", partial(_predict, holder, texts), methods=["POST"]),
        Route("/model", partial(_model, current, holder, extras)),
        Route("/model/card", partial(_model_card, current)),
        Route("/health/live", _live),
        Route("/health/ready", partial(_ready, holder)),
        *language_routes(current, scheduler),
        *open_inference_routes(holder, current, texts),
        # The watch is made below, of all routes.
        *description_routes(lambda: watch.metrics(), current, token=token is not None),  # noqa: PLW0108
        *demo_routes(current, texts, extras),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    watch = surroundings.watch(routes, holder, scheduler)
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Observed, watch=watch),
            Middleware(SecurityHeaders, allowed=_ALLOWED),
            surroundings.prefixed(),
            Middleware(ErrorTexts),
            Middleware(GuardedApp, guard=guard),
            Middleware(Failures),
        ],
        exception_handlers={
            ProtocolError: _on_protocol_error,
            HTTPException: _on_http_error,
            ClientDisconnect: lambda *_: Response(status_code=400),
        },
        lifespan=partial(_lifespan, scheduler, background),
    )
    # A redirect would name the Host header's address, and a client may drop the body on its way.
    app.router.redirect_slashes = False
    return Serving(app, texts, guard, security_headers(_ALLOWED), watch)


@asynccontextmanager
async def _lifespan(
    scheduler: Scheduler, background: Sequence[Background], _: Starlette
) -> AsyncIterator[None]:
    asyncio.get_running_loop().set_exception_handler(LoopErrors())
    tasks = [asyncio.create_task(work()) for work in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        scheduler.close()


class LoopErrors:
    """Logs what goes wrong in the event loop, a line a second at most, with how many there were.

    asyncio's own loop fails to accept two thousand times a second where descriptors are short, each
    with a traceback. uvloop takes such a connection and closes it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._unsaid, self._again_at = clock, 0, 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._unsaid += 1
        if self._clock() < self._again_at:
            return
        error = context.get("exception")
        name = type(error).__name__ if error else "no exception"
        message = context.get("message", "an error")
        number = getattr(error, "strerror", None) or name
        _LOGGER.error("event loop: %s (%s), %d times", message, number, self._unsaid)
        self._unsaid, self._again_at = 0, self._clock() + 1


async def _predict(holder: ModelHolder, texts: TextRoute, request: Request) -> Response:
    asked = None
    if "model" in request.query_params:
        asked = asked_model(request, champion=_current(holder), candidate=holder.candidate)
    return await texts.respond(request, asked)


async def _model(
    current: Current, holder: ModelHolder, extras: DemoExtras, request: Request
) -> Response:
    shown = described(current(request)) | extras.as_dict()
    if holder.candidate is not None:
        shown["candidate"] = described(holder.candidate)
    return json_response(shown)


async def _model_card(current: Current, request: Request) -> Response:
    return PlainTextResponse(current(request).model_card, headers={"cache-control": "no-store"})


async def _live(request: Request) -> Response:
    return json_response({"status": "live"})


async def _ready(holder: ModelHolder, request: Request) -> Response:
    model = holder.current
    status = "waiting" if model is None else "stopping" if holder.stopping else "ready"
    body: dict[str, str | None] = {"status": status}
    if request.scope[TRUSTED]:
        body |= dict.fromkeys(("product", "hash", "variant")) if model is None else model.identity
        body["last_error"] = holder.last_error
    if request.scope[TRUSTED] and model is not None:
        body["since"] = model.since.isoformat(timespec="microseconds")
    return json_response(body) if status == "ready" else json_response(body, 503, _RETRY)


async def _page(request: Request) -> Response:
    # Never from a cache, so that an updated server never meets an old page.
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


def _answering(holder: ModelHolder, request: Request) -> ServedModel:
    """The model that answers a request; its notes name it, for the headers of the answer."""
    model = notes_of(request.scope).model = _current(holder)
    return model


def _current(holder: ModelHolder) -> ServedModel:
    if holder.current is None:
        raise ProtocolError(
            503,
            got="no model yet",
            expected="a released bundle",
            next_step="wait a second; GET /health/ready says what is missing",
            headers={"retry-after": "1"},
        )
    return holder.current


async def _on_protocol_error(request: Request, error: Exception) -> Response:
    refused = cast(ProtocolError, error)
    return _EarlyError(refused) if refused.sending else error_response(refused)


async def _on_http_error(request: Request, error: Exception) -> Response:
    refused = cast(HTTPException, error)
    return error_response(
        ProtocolError(
            refused.status_code,
            got=f"{request.method} {request.url.path[:80]}",
            expected=f"one of {_ROUTES}",
            next_step="check the address and the method",
            headers=refused.headers,
        )
    )


class _EarlyError(Response):
    """An error that is sent before the whole body has arrived; then the rest is read and discarded.

    Closing at once would reset the connection of a caller that is still sending, and many clients
    then report a broken pipe instead of the reason.
    """

    def __init__(self, error: ProtocolError) -> None:
        answer = error_response(error)
        super().__init__(answer.body, answer.status_code, dict(answer.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the error, discards the rest of the body, then closes."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        remaining, more = DISCARD_BYTES, True
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while more and remaining > 0:
                    message = await receive()
                    remaining -= len(message.get("body", b""))
                    more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
