"""Runs the annotation server in this process until it is told to end."""

import errno
import gc
import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.gold_items import GoldItem
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.label_page import label_page
from pipeline.annotation.order_keeper import Rescore, order_kept
from pipeline.annotation.people import People
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.store import Store
from pipeline.annotation.suggestions import Suggestions
from pipeline.core.addresses import is_loopback
from pipeline.core.errors import PipelineError
from pipeline.core.progress import say

DEFAULT_PORT = 8300
_PORTS_TRIED = 50
_ELSEWHERE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104 - named, not listened on
"""An address that stands for all of this machine's → one of documentation, which is on no network."""


def run_server(
    folder: Path,
    *,
    rows: Path,
    people: People,
    assignment: Assignment,
    double_share: float,
    random_share: float = 1.0,
    suggestions: Suggestions | None = None,
    rescore: Rescore | None = None,
    tell: Callable[[str], None] = say,
    host: str,
    port: int,
    started: Callable[[str, Store], None],
    guide_file: Path | None = None,
    gold: Sequence[GoldItem] = (),
    goal: LabelGoal | None = None,
) -> None:
    """Serves until SIGTERM or Ctrl-C; what was acknowledged is on the disk at each moment.

    Args:
        folder: as of `Store`.
        rows: a file that `write_rows` wrote.
        double_share, random_share, suggestions: as of `Store`.
        rescore: scores the rows while people label (pipeline/annotation/order_keeper.py).
        tell: takes messages about the order of the rows and about suggestions.
        port: the next free one is taken where it is in use; 0 takes any.
        started: is called with the address and the store once the server takes connections.
        guide_file: as of `GuideVersions`.
        gold: as of `Store`.
        goal: as of `Store`.

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
            random_share=random_share,
            suggestions=suggestions,
            what=f"the annotation server at {url}",
            guide_file=guide_file,
            gold=gold,
            goal=goal,
        )
        gc.freeze()  # the answers so far stay; no collection of garbage looks through them again
        try:
            started(url, store)
            app = label_page(store, people, loopback_only=is_loopback(host))
            with order_kept(store, folder=folder, rescore=rescore, tell=tell):
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
    """The page's address, without a path; where the host stands for all addresses, the one that others reach."""
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable(host: str) -> str:
    """The address of this machine in its network where the host stands for all of them; else the host."""
    with suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    if host not in _ELSEWHERE:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked, suppress(OSError):
        asked.connect((_ELSEWHERE[host], 9))  # sends nothing; chooses the way out
        return str(asked.getsockname()[0])
    return socket.gethostname()


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
