"""Compares a browser with Python on the same requests: token ids, answers, and how long they take.

A real Chromium opens a page that asks the engine of the folder, and sends back what it read and said.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.progress import Progress
from pipeline.edge.browser_folder import HEADERS
from pipeline.edge.folder_server import (
    FolderHandler,
    ServedFile,
    content_type,
    file_of,
    make_server,
    running,
)
from pipeline.edge.headless_chromium import opened
from pipeline.edge.model_files import texts_of
from pipeline.edge.parity_report import Answered, Compared, Parity, compared
from pipeline.problem.prediction import Prediction
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.reader import TextReader
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel

TIMED_TOKENS = 32
SILENT_SECONDS = 120.0
"""How long the browser may take for its next two hundred answers."""
_LOOK_SECONDS = 0.5
_PAGE = "/parity/"
_STATIC = Path(__file__).parent / "static"
Message = tuple[str, Any]


@dataclass(frozen=True)
class ParityRequests:
    """The texts that both sides answer."""

    sentences: Sequence[Request]
    hostile: Sequence[Request]

    @classmethod
    def of(
        cls, sentences: Sequence[str], hostile: Sequence[str], *, pairs: bool
    ) -> "ParityRequests":
        """Takes each text alone, or with the next one as a pair."""
        if not pairs:
            return cls(sentences, hostile)
        first, second = (_neighbours(texts) for texts in (sentences, hostile))
        return cls(first, second)


def check_parity(bundle: Bundle, folder: Path, requests: ParityRequests, *, browser: str) -> Parity:
    """Asks both sides everything.

    Raises:
        ArtifactError: the browser does not start, says that it failed, or falls silent.
    """
    together = [*requests.sentences, *requests.hostile]
    ours = list(python_answers(bundle, together))
    timed = _timed_request(together, ours)
    theirs, done = _browser_answers(folder, together, timed=timed, browser=browser)
    count = len(requests.sentences)
    tolerance = bundle.description.golden_tolerance

    def part(start: int, end: int) -> Compared:
        return compared(
            together[start:end], ours[start:end], theirs[start:end], tolerance=tolerance
        )

    return Parity(
        sentences=part(0, count),
        hostile=part(count, len(together)),
        golden=(done["golden"]["right"], done["golden"]["of"]),
        timed_tokens=sum(map(len, ours[together.index(timed)].rows or ())),
        milliseconds=tuple(sorted(done["times"])),
        started_ms=done["started"],
        browser=done["browser"],
    )


def python_answers(bundle: Bundle, requests: Sequence[Request]) -> Iterator[Answered]:
    """Python's ids and answer to each request, in order."""
    task, model = bundle.task, TextModel.from_bundle(bundle, threads=1)
    reader = TextReader(
        bundle.tokenizer, max_length=task.max_length, window_stride=task.window_stride
    )
    progress = Progress("edge  Python", len(requests))
    for done, request in enumerate(requests, start=1):
        try:
            rows, truncated = reader.read(request, cleaning=task.cleaning)
            yield Answered([row.ids for row in rows], model.answer(request), truncated)
        except DataError:
            yield Answered(None, None, truncated=False)
        progress.update(done)


def _neighbours(texts: Sequence[str]) -> list[Request]:
    return list(zip(texts, [*texts[1:], *texts[:1]], strict=True))


def _timed_request(requests: Sequence[Request], answers: Sequence[Answered]) -> Request:
    """The request whose one row is nearest to 32 tokens."""

    def distance(at: int) -> int:
        rows = answers[at].rows
        return abs(len(rows[0]) - TIMED_TOKENS) if rows and len(rows) == 1 else 1 << 30

    return requests[min(range(len(requests)), key=distance)]


def _browser_answers(
    folder: Path, requests: Sequence[Request], *, timed: Request, browser: str
) -> tuple[list[Answered], Mapping[str, Any]]:
    """The browser's answers in order, and what it says at the end."""
    inbox = Queue[Message]()
    asked = {"requests": [texts_of(request) for request in requests], "timed": texts_of(timed)}
    attributes = {"pages": _pages(asked), "inbox": inbox}
    handler = type("Handler", (_ParityHandler,), attributes)
    server = make_server(folder, port=0, headers=HEADERS, handler=handler)
    found: list[Answered] = []
    progress = Progress("edge  browser", len(requests))
    with running(server) as address, opened(browser, f"{address}{_PAGE}") as process:
        while True:
            kind, value = _next_message(inbox, process, browser=browser)
            if kind == "failed":
                raise _failed(str(value), browser)
            if kind == "done":
                return found, value
            found += map(_answered, value)
            progress.update(len(found))


def _next_message(
    inbox: "Queue[Message]", process: subprocess.Popen[bytes], *, browser: str
) -> Message:
    """The next message of the browser, waited for as long as it runs and is not silent for too long."""
    last = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < last:
        has_ended = process.poll() is not None
        try:
            return inbox.get(timeout=_LOOK_SECONDS)
        except Empty:
            if has_ended:
                raise _failed(f"it ended with code {process.returncode}", browser) from None
    raise _failed(f"it said nothing for {SILENT_SECONDS:g} seconds", browser)


class _ParityHandler(FolderHandler):
    """Serves the folder and the page of the check, and takes what that page sends.

    Attributes:
        pages: path → file; `inbox`: takes each message, its name and value.
    """

    pages: Mapping[str, ServedFile]
    inbox: "Queue[Message]"

    def found(self, accepted: str) -> ServedFile | None:
        return self.pages.get(self.path) or super().found(accepted)

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        body = self.rfile.read(int(self.headers["content-length"]))
        self.inbox.put((self.path.removeprefix(_PAGE), json.loads(body)))
        self.send(204, {}, b"")


def _pages(asked: Mapping[str, Any]) -> dict[str, ServedFile]:
    contents = {
        "": (_STATIC / "parity_check.html").read_bytes(),
        "parity_check.js": (_STATIC / "parity_check.js").read_bytes(),
        "requests.json": json.dumps(asked).encode(),
    }
    return {
        f"{_PAGE}{name}": file_of(content, {"content-type": content_type(name or ".html")})
        for name, content in contents.items()
    }


def _answered(value: Mapping[str, Any]) -> Answered:
    if "refused" in value:
        return Answered(None, None, truncated=False)
    said = value["prediction"]
    answer = Prediction(
        label=said.get("label"),
        labels=said.get("labels"),
        value=said.get("value"),
        probabilities={str(at): score for at, score in enumerate(said["scores"])}
        if "value" not in said
        else None,
        abstained=said["abstained"],
    )
    return Answered(value["rows"], answer, said["truncated"])


def _failed(got: str, browser: str) -> ArtifactError:
    return ArtifactError(
        f"{browser} could not be compared: {got}",
        expected="a Chromium of 2024 or newer that runs the folder",
        next_step="name another browser with BROWSER_PATH, or leave the comparison out with --no-check",
    )
