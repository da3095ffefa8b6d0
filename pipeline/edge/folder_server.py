"""Serves a folder on this machine as a web server should: compressed where there is a `.br` or `.gz` beside.

It answers GET and HEAD with the files of the folder alone, each with its type, its hash as the ETag and the
headers that the folder asks for. nginx or any other server can do the same: docs/guide/browser.md.
"""

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

INDEX = "index.html"
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content-Encoding → the ending of the file that has it, the best first."""
_SECONDS = 30.0
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".md": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class ServedFile:
    """A file as it is sent: its bytes, and the headers that say what they are."""

    body: bytes
    headers: Mapping[str, str]


def content_type(name: str) -> str:
    """The media type of a file, with its charset where it is text."""
    ending = name[name.rfind(".") :]
    found = _TYPES.get(ending) or mimetypes.guess_type(f"file{ending}")[0]
    text = (found or "").startswith("text/") and "charset" not in (found or "")
    return f"{found}; charset=utf-8" if text else found or "application/octet-stream"


def served_file(folder: Path, path: str, *, accepted: str) -> ServedFile | None:
    """The file of an address, compressed as the browser accepts; None where the folder has none.

    Args:
        path: of the request, percent-encoded; a folder's address is that of its index.html.
        accepted: the header Accept-Encoding.
    """
    name = unquote(path.partition("?")[0]).lstrip("/") or INDEX
    if "\0" in name:
        return None
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    offered = {part.partition(";")[0].strip() for part in accepted.split(",")}
    headers = {"content-type": content_type(name), "vary": "accept-encoding"}
    for encoding, ending in ENCODINGS.items():
        packed = file.with_name(f"{file.name}{ending}")
        if encoding in offered and packed.is_file():
            file, headers["content-encoding"] = packed, encoding
            break
    return file_of(file.read_bytes(), headers)


def file_of(body: bytes, headers: Mapping[str, str]) -> ServedFile:
    """The file with these bytes, and with the headers that follow from them."""
    etag = f'"{sha256(body).hexdigest()}"'
    return ServedFile(body, {**headers, "content-length": str(len(body)), "etag": etag})


class FolderHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with files.

    Attributes:
        served: the folder; `added`: headers of every answer.
    """

    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    served: Path
    added: Mapping[str, str]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: who asks for what is nobody's business."""

    def _answer(self, *, with_body: bool) -> None:
        accepted = self.headers.get("accept-encoding", "")
        found = self.found(accepted)
        if found is None:
            self.send(404, {"content-type": "text/plain", "content-length": "0"}, b"")
        elif self.headers.get("if-none-match") == found.headers["etag"]:
            self.send(304, {"etag": found.headers["etag"]}, b"")
        else:
            self.send(200, found.headers, found.body if with_body else b"")

    def found(self, accepted: str) -> ServedFile | None:
        """The file that is asked for, compressed as the browser accepts; None without one."""
        return served_file(self.served, self.path, accepted=accepted)

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Sends an answer with the headers that every one has."""
        self.send_response(status)
        for name, value in (*headers.items(), *self.added.items()):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def make_server(
    folder: Path,
    *,
    port: int,
    headers: Mapping[str, str],
    handler: type[FolderHandler] = FolderHandler,
) -> ThreadingHTTPServer:
    """A server that listens on this machine alone.

    Args:
        port: 0 takes any free one.
        headers: go with every answer.
    """
    attributes = {"served": folder, "added": headers}
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (handler,), attributes))
    server.daemon_threads = True
    return server


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serves in a thread; yields the address, without a slash at its end."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
