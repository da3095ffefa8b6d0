"""The routes of the Open Inference Protocol v2, which Triton's and KServe's clients speak.

    GET  /v2                              the server          GET /v2/health/{live,ready}
    GET  /v2/models/NAME                  inputs, outputs     GET /v2/models/NAME/ready
    POST /v2/models/NAME/infer            an answer to each text

NAME is the product's. Each model route also exists below `/versions/VERSION`: the version that the metadata
name, or the bundle's whole hash; another one is not found, for one model serves at a time. Errors are
`{"error": "got: …"}`, a text, as those clients read them: `ErrorTexts` makes them of ours.
"""

import zlib
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import orjson
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.runtime.task import Task
from pipeline.serving.body_shapes import ShapeError
from pipeline.serving.deadlines import DEADLINE, deadline_seconds
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.notes import notes_of
from pipeline.serving.protocol import (
    ProtocolError,
    check_content_type,
    parse_json,
    read_body,
    unfit,
)
from pipeline.serving.tensor_answers import answer_of, metadata, outputs_of
from pipeline.serving.tensor_requests import Asked, InferBody
from pipeline.serving.text_route import TextRoute
from pipeline.web.json_answers import json_response

HEADER_LENGTH = "inference-header-content-length"
"""The header that says how many bytes of a body are JSON, where binary data follow."""
PREFIX = "/v2"
_SMALLEST_PACKED = 1024
_EXPECTED = "a request of the Open Inference Protocol v2"
_NEXT = "GET /v2/models/NAME names the tensors; /openapi.json has the whole shape"
_BINARY = "application/octet-stream"
Current = Callable[[Request], ServedModel]


def open_inference_routes(holder: ModelHolder, current: Current, texts: TextRoute) -> list[Route]:
    """The routes.

    Args:
        current: gives the model that answers a request, or raises.
        texts: lets texts or pairs wait for their turn.
    """

    def named(request: Request) -> tuple[ServedModel, str]:
        model = current(request)
        _check_name(request, model)
        return model, model.version

    async def describe(request: Request) -> Response:
        model, of_version = named(request)
        name = model.bundle.description.product
        return json_response(metadata(model.bundle.task, name=name, version=of_version))

    async def model_ready(request: Request) -> Response:
        model, _ = named(request)
        return _readiness(ready=not holder.stopping, name=model.bundle.description.product)

    async def ready(request: Request) -> Response:
        return _readiness(ready=holder.current is not None and not holder.stopping)

    async def infer(request: Request) -> Response:
        seconds = deadline_seconds(request.headers.get(DEADLINE, ""))
        deadline = notes_of(request.scope).arrived + seconds
        texts.check_room(deadline)
        body, json_length = await _body_of(request)
        model, of_version = named(request)
        task = model.bundle.task
        asked = read_infer(body, json_length, task)
        answer = await texts.answer(
            asked.requests, model=model, deadline=deadline, scope=request.scope
        )
        name = model.bundle.description.product
        written, head = answer_of(asked, answer.predictions, task, name=name, version=of_version)
        response = _packed(written, head, request.headers.get("accept-encoding", ""))
        response.background = BackgroundTask(texts.tell_later, answer)
        return response

    endpoints = [("", describe, "GET"), ("/ready", model_ready, "GET"), ("/infer", infer, "POST")]
    return [
        Route(PREFIX, _server),
        Route(f"{PREFIX}/health/live", _live),
        Route(f"{PREFIX}/health/ready", ready),
        *(
            Route(f"{PREFIX}/models/{{name}}{versions}{path}", endpoint, methods=[method])
            for versions in ("", "/versions/{version}")
            for path, endpoint, method in endpoints
        ),
    ]


def read_infer(body: bytes, json_length: int | None, task: Task) -> Asked:
    """Returns what the body of a request asks for.

    Args:
        json_length: bytes of it that are JSON; None where all are.

    Raises:
        ProtocolError: 400 for what is not JSON, 422 for JSON of another shape.
    """
    head = body if json_length is None else body[:json_length]
    value = parse_json(head, expected=_EXPECTED, next_step=_NEXT)
    names = tuple(output.name for output in outputs_of(task))
    try:
        if not isinstance(value, dict):
            raise ShapeError("JSON that is no object", expected=None)
        return InferBody(task, names).read(
            value, None if json_length is None else body[json_length:]
        )
    except ShapeError as error:
        raise unfit(error, expected=_EXPECTED, next_step=_NEXT) from None


async def _server(request: Request) -> Response:
    return json_response(
        {"name": "modelyard", "version": _release(), "extensions": ["binary_tensor_data"]}
    )


async def _live(request: Request) -> Response:
    return json_response({"live": True})


def _readiness(*, ready: bool, name: str | None = None) -> Response:
    body = {"ready": ready} if name is None else {"name": name, "ready": ready}
    return json_response(body) if ready else json_response(body, 503, {"retry-after": "1"})


@lru_cache(maxsize=1)
def _release() -> str:
    """The version of this package; a clone that is not installed has none."""
    try:
        return version("modelyard")
    except PackageNotFoundError:
        return "clone"


def _check_name(request: Request, model: ServedModel) -> None:
    """Refuses another name or version than those of the model that serves."""
    name, wanted = request.path_params["name"], request.path_params.get("version")
    product, known = model.bundle.description.product, (model.version, model.bundle.hash)
    if name != product or (wanted is not None and wanted not in known):
        shown = name if wanted is None else f"{name}, version {wanted}"
        raise ProtocolError(
            404,
            got=f"a request to the model {shown[:80]}",
            expected=f"{product}, version {model.version}, which serves",
            next_step="GET /v2/models/NAME of the name expected says more",
        )


async def _body_of(request: Request) -> tuple[bytes, int | None]:
    """The body, and how many bytes of it are JSON; None where all are."""
    content_type = request.headers.get("content-type")
    declared = request.headers.get(HEADER_LENGTH)
    # Triton's client names no type. A page of another origin, whose requests would then need no
    # preflight, cannot leave its Origin out.
    untyped = content_type is None and "origin" not in request.headers
    binary = declared is not None and content_type in (None, _BINARY)
    if not (untyped or binary):
        check_content_type(content_type or "")
    body = await read_body(request)
    if declared is None:
        return body, None
    if not declared.isdecimal() or int(declared) > len(body):
        raise ProtocolError(
            400,
            got=f"Inference-Header-Content-Length: {declared[:20]} of a body of {len(body)} bytes",
            expected="the bytes of the JSON before the binary data, once they are unpacked",
            next_step="leave the header out where the whole body is JSON",
        )
    return body, int(declared)


def _packed(body: bytes, json_length: int | None, accepted: str) -> Response:
    """The answer, compressed where the sender takes that and it is large enough to gain by it."""
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if json_length is not None:
        headers[HEADER_LENGTH] = str(json_length)
    coding = accepted_coding(accepted) if len(body) >= _SMALLEST_PACKED else None
    if coding is not None:
        headers["content-encoding"] = coding
        window = zlib.MAX_WBITS | (16 if coding == "gzip" else 0)
        packer = zlib.compressobj(1, wbits=window)
        body = packer.compress(body) + packer.flush()
    media_type = "application/json" if json_length is None else _BINARY
    return Response(body, media_type=media_type, headers=headers)


def accepted_coding(accept_encoding: str) -> str | None:
    """`gzip` or `deflate` where an Accept-Encoding header takes it, else None."""
    taken = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        taken[coding.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return next((coding for coding in ("gzip", "deflate") if taken.get(coding)), None)


class ErrorTexts:
    """Makes the errors of the routes below /v2 texts, which the protocol's clients read.

    It stands before the token's check and all routes, so that every refusal has this form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def reword(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] >= 400:
                held = message
                return
            if held is not None:
                # An error is sent in one piece; what follows it says only that it has ended.
                body = _reworded(message.get("body", b""))
                length = (b"content-length", str(len(body)).encode())
                kept = [pair for pair in held["headers"] if pair[0].lower() != length[0]]
                await send({**held, "headers": [*kept, length]})
                held, message = None, {**message, "body": body}
            await send(message)

        await self._app(scope, receive, reword)


def _reworded(body: bytes) -> bytes:
    """An error's JSON with its three parts as one text; anything else as it is."""
    value = orjson.loads(body) if body.startswith(b'{"error":{') else None
    if value is None:
        return body
    error = value["error"]
    text = f"got: {error['got']}; expected: {error['expected']}; next: {error['next_step']}"
    return orjson.dumps({"error": text})
