"""Runs the annotation server in this process until it is told to end."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.label_page import label_page
from pipeline.annotation.people import People
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.store import Store
from pipeline.core.addresses import is_loopback
from pipeline.core.errors import PipelineError

DEFAULT_PORT = 8300
_PORTS_TRIED = 50


def run_server(
    folder: Path,
    *,
    rows: Path,
    people: People,
    assignment: Assignment,
    double_share: float,
    host: str,
    port: int,
    started: Callable[[str, Store], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C; what was acknowledged is on the disk at each moment.

    Args:
        folder: as of `Store`.
        rows: a file that `write_rows` wrote.
        port: the next free one is taken where it is in use; 0 takes any.
        started: is called with the address and the store once the server takes connections.

    Raises:
        PipelineError: another server of the product runs, or no port is free.
    """
    listener = listen(host, port)
    try:
        url = address(host, int(listener.getsockname()[1]))
        store = Store(
            folder,
            rows=RowFile(rows),
            people=people,
            assignment=assignment,
            double_share=double_share,
            what=f"the annotation server at {url}",
        )
        try:
            started(url, store)
            app = label_page(store, people, loopback_only=is_loopback(host))
            uvicorn.Server(_config(app)).run(sockets=[listener])
        finally:
            store.close()
    finally:
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the port, or on the next free one.

    Raises:
        PipelineError: none of them is free, or the host is no address of this machine.
    """
    for candidate in [0] if port == 0 else range(port, min(port + _PORTS_TRIED, 65_536)):
        try:
            return socket.create_server(
                (host, candidate),
                family=socket.AF_INET6 if ":" in host else socket.AF_INET,
                backlog=512,
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _cannot_listen(f"{host}:{candidate}: {error.strerror or error}") from error
    raise _cannot_listen(f"ports {port} to {port + _PORTS_TRIED - 1}, all in use")


def address(host: str, port: int) -> str:
    """The page's address, without a path."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def _cannot_listen(got: str) -> PipelineError:
    return PipelineError(
        got, expected="an address and port to listen on", next_step="choose another --port"
    )
