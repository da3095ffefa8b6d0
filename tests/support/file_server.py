"""A real HTTP server of a test's own, whose answers the test writes down: good ones and every bad one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """One answer.

    Attributes:
        sent: how many bytes of the body are sent before the connection is cut; None for all.
        named: whether Content-Length is sent; else the body ends with the connection.
        wait: seconds before the answer; `stall`: before the connection is cut.
        ranges: whether a request for the rest, of this edition, gets the rest.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    named: bool = True
    wait: float = 0.0
    stall: float = 0.0
    ranges: bool = True


class FileServer:
    """Answers in order, path by path; the last answer of a path is repeated.

    Attributes:
        seen: path and headers of each request, in order.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._answers: dict[str, list[Answer]] = {}
        self.ended = threading.Event()

    def will(self, path: str, *answers: Answer) -> str:
        """Sets the answers of a path; returns its address."""
        self._answers[path] = [*answers]
        return f"{self.address}{path}"

    def next(self, path: str) -> Answer:
        """The answer to the next request for a path."""
        answers = self._answers.get(path.partition("?")[0], [Answer(status=404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def running_files() -> Iterator[FileServer]:
    """Yields a server that listens on a port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        http.daemon_threads = True
        served = FileServer(f"http://127.0.0.1:{http.server_address[1]}")
        http.RequestHandlerClass = _handler(lambda: served)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.ended.set()
            http.shutdown()
            thread.join()


def _handler(served: Callable[[], FileServer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            files = served()
            files.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            answer = files.next(self.path)
            files.ended.wait(answer.wait)
            self._send(answer)

        def handle(self) -> None:
            with suppress(ConnectionError):
                super().handle()

        def _send(self, answer: Answer) -> None:
            body, status, headers = answer.body, answer.status, dict(answer.headers)
            mark = headers.get("ETag", headers.get("Last-Modified"))
            asked, of = self.headers.get("Range"), self.headers.get("If-Range")
            unchanged = (self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since"))
            if mark and mark in unchanged:
                status, body = 304, b""
            elif asked and answer.ranges and mark and of in (mark, None):
                first = int(asked.removeprefix("bytes=").rstrip("-"))
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[first:]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if answer.named:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.close_connection = not answer.named or answer.sent is not None
            self.wfile.write(body[: answer.sent])
            served().ended.wait(answer.stall)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing on the screen."""

    return Handler
