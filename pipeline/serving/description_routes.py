"""Routes by which machines learn of the server: `/metrics` and `/openapi.json`."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.serving.open_inference import Current
from pipeline.serving.openapi import document
from pipeline.serving.prefix import PREFIX
from pipeline.serving.prometheus_text import CONTENT_TYPE
from pipeline.web.json_answers import json_response


def description_routes(
    metrics_page: Callable[[], str], current: Current, *, token: bool
) -> list[Route]:
    """The two routes.

    Args:
        metrics_page: gives the text of `/metrics`.
        current: gives the model that answers a request, or raises.
        token: whether the server asks for one, which the document says.
    """

    async def metrics(request: Request) -> Response:
        headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
        return Response(metrics_page(), headers=headers)

    async def openapi(request: Request) -> Response:
        prefix = request.scope[PREFIX]
        return json_response(document(current(request), token=token, prefix=prefix))

    return [Route("/metrics", metrics), Route("/openapi.json", openapi)]
