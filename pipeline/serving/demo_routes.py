"""The routes of the demo page beside answers: the certificate, feedback, and the version for a browser.

GET  /model/certificate  what was proved of the model when it was built
POST /feedback           see pipeline/serving/feedback.py; only with `--feedback FILE`
GET  /browser/           the folder that `modelyard edge` wrote; only with `--browser DIR`
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.serving.feedback import FeedbackFile, feedback_route
from pipeline.serving.open_inference import Current
from pipeline.serving.protocol import ProtocolError
from pipeline.serving.text_route import TextRoute
from pipeline.web.browser_safety import SecurityHeaders

_IN_BROWSER = {
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "img-src": "'self' data:",
}
"""What the runtime of the browser version needs; it still fetches nothing from elsewhere."""


@dataclass(frozen=True, kw_only=True)
class DemoExtras:
    """The parts of the page that are there only if the options of the server ask for them.

    Attributes:
        feedback: file that keeps texts whose answers people call right or wrong.
        browser: folder of the version that runs in a browser.
    """

    feedback: Path | None = None
    browser: Path | None = None

    def as_dict(self) -> dict[str, bool]:
        """Returns what GET /model tells the page of it."""
        return {"feedback": self.feedback is not None, "browser": self.browser is not None}


def demo_routes(current: Current, texts: TextRoute, extras: DemoExtras) -> list[BaseRoute]:
    """The routes; `current` gives the model that answers a request, or raises."""

    async def certificate(request: Request) -> Response:
        content = current(request).certificate
        if content is None:
            raise ProtocolError(
                404,
                got="a bundle of a format without a certificate",
                expected="a bundle that was built with one",
                next_step="build and release again with `make pipeline`",
            )
        headers: dict[str, Any] = {"cache-control": "no-store"}
        return Response(content, media_type="application/json", headers=headers)

    routes: list[BaseRoute] = [Route("/model/certificate", certificate)]
    if extras.feedback is not None:
        routes.append(feedback_route(current, texts, FeedbackFile(extras.feedback)))
    if extras.browser is not None:
        files = StaticFiles(directory=extras.browser, html=True)
        routes.append(Mount("/browser", SecurityHeaders(files, allowed=_IN_BROWSER)))
    return routes
