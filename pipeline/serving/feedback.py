"""Keeps what people say of answers, for later labelling: POST /feedback?verdict=right&model=<hash>.

The body is that of /predict with one text or pair. The server asks the model again and keeps its own
answer, so that the file never says what no model said. A line of the file:

    {"answer":"positive","model":"<hash>","text":"a warm funny film","time":"…","verdict":"right"}

It is JSON lines, so it may be a source of the product (docs/guide/operations.md). A verdict is no label:
whoever types into a demo is no annotator. Without `--feedback FILE` there is no such route.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.core.disk import DiskFullError
from pipeline.core.line_file import add_line, encoded_line
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request as TextRequest
from pipeline.serving.deadlines import DEADLINE, deadline_seconds
from pipeline.serving.notes import notes_of
from pipeline.serving.open_inference import Current
from pipeline.serving.protocol import ProtocolError, read_requests, require_shape
from pipeline.serving.text_route import TextRoute
from pipeline.web.json_answers import json_response

VERDICTS = ("right", "wrong")
FEEDBACK_BYTES = 10_000_000
"""What the file may hold; then it takes no more until somebody has moved it away."""


@dataclass(frozen=True)
class FeedbackFile:
    """A file that is only ever added to; a line that was added is on the disk. Of use to several processes."""

    path: Path
    most_bytes: int = FEEDBACK_BYTES

    def add(self, line: dict[str, Any]) -> None:
        """Adds a line.

        Raises:
            ProtocolError: 507, the file or the disk is full.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        if size + len(encoded_line(line)) > self.most_bytes:
            raise _full(f"a file that may hold {self.most_bytes:,} bytes and has {size:,}")
        try:
            add_line(self.path, line)
        except DiskFullError:
            raise _full("a disk without room") from None


def feedback_line(
    asked: TextRequest, answer: Prediction, *, verdict: str, model: str, time: datetime
) -> dict[str, Any]:
    """The line that keeps a verdict; `answer` in it is the label, the labels or the number."""
    texts = (
        {"text": asked}
        if isinstance(asked, str)
        else dict(zip(("text", "second"), asked, strict=True))
    )
    said = next(x for x in (answer.label, answer.labels, answer.value) if x is not None)
    about = {"verdict": verdict, "model": model, "time": time.isoformat(timespec="seconds")}
    return {**texts, "answer": said, **about}


def feedback_route(current: Current, texts: TextRoute, file: FeedbackFile) -> Route:
    """The route; `current` gives the model that answers a request, or raises."""

    async def keep(request: Request) -> Response:
        verdict = request.query_params.get("verdict", "")
        if verdict not in VERDICTS:
            raise ProtocolError(
                422,
                got=f"verdict={verdict[:40]!r}",
                expected=" or ".join(VERDICTS),
                next_step="send POST /feedback?verdict=right&model=<hash of the model that answered>",
            )
        seconds = deadline_seconds(request.headers.get(DEADLINE, ""))
        deadline = notes_of(request.scope).arrived + seconds
        texts.check_room(deadline)
        requests = await read_requests(request)
        model = current(request)
        require_shape(requests, pairs=model.text_model.task.pairs)
        if len(requests) != 1:
            raise ProtocolError(
                422,
                got=f"{len(requests)} texts",
                expected="the one text, or pair, that was answered",
                next_step="send a request for each",
            )
        if request.query_params.get("model") != model.bundle.hash:
            raise ProtocolError(
                409,
                got="a verdict on another model's answer",
                expected=f"one of model {model.bundle.hash[:12]}, which serves now",
                next_step="ask again, and judge the new answer",
            )
        answer = await texts.answer(requests, model=model, deadline=deadline, scope=request.scope)
        line = feedback_line(
            requests[0],
            answer.predictions[0],
            verdict=verdict,
            model=model.bundle.hash,
            time=datetime.now(UTC),
        )
        # Waits for the disk, so not in the event loop.
        await asyncio.to_thread(file.add, line)
        return json_response({"kept": verdict}, 201)

    return Route("/feedback", keep, methods=["POST"])


def _full(got: str) -> ProtocolError:
    return ProtocolError(
        507,
        got=got,
        expected="room for one more line of feedback",
        next_step="tell whoever runs this server to move the file away; answers go on",
    )
