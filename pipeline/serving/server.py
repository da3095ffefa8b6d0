"""Serves a model over HTTP: follows a pointer file from release to release, or serves one bundle.

    python -m pipeline.serving.server --pointer .modelyard/products/<name>/current.json
    python -m pipeline.serving.server --bundle artifacts/gate/bundle --port 8000

If the port is in use, the server takes the next free one and says so. It writes `--state FILE` when
it listens (`pid`, `host`, `port`, `url`) and removes it when it stops. On SIGTERM it finishes the
running requests, then exits.
"""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from pipeline.core.access_token import TOKEN_VARIABLE, access_token
from pipeline.core.cores import available_cores
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.files import write_json
from pipeline.core.output import forgive_output
from pipeline.serving.admission import Admission
from pipeline.serving.app import create_app
from pipeline.serving.guard import is_loopback
from pipeline.serving.hot_swap import ModelHolder, PointerFollower

QUEUE = 64
PORTS_TRIED = 50
GRACE_SECONDS = 5
_LOGGER = logging.getLogger("modelyard.server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and serves. Returns the exit code."""
    forgive_output()
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(options)
    except PipelineError as error:
        print(f"serve failed\n  {error}", file=sys.stderr)
        return 1
    return 0


def serve(options: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    app = _make_app(options)
    listener = bind(options.host, options.port)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        # The access log costs a third of a small request's time and says nothing about the answer.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # uvicorn finishes its work on a signal, then raises it again for the handler set before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    host, port = options.host, int(listener.getsockname()[1])
    url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    _LOGGER.info("listening on %s", url)
    try:
        # The socket takes connections already; they are answered once the application has started.
        if options.state is not None:
            write_json(options.state, {"pid": os.getpid(), "host": host, "port": port, "url": url})
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        if options.state is not None:
            options.state.unlink(missing_ok=True)


def _make_app(options: argparse.Namespace) -> Starlette:
    token = access_token(os.environ)
    check_exposure(options.host, token)
    holder = ModelHolder()
    if options.bundle is not None:
        holder.load(options.bundle)
    return create_app(
        holder,
        admission=Admission(workers=available_cores(), queue=QUEUE),
        background=PointerFollower(holder, options.pointer).follow if options.pointer else None,
        token=token,
        loopback_only=is_loopback(options.host),
    )


def check_exposure(host: str, token: str | None) -> None:
    """Refuses to listen on an address that other machines can reach unless a token is set."""
    if token is None and not is_loopback(host):
        raise ReleaseError(
            f"host {host}, which other machines can reach, and no token",
            expected=f"a loopback host, or a secret in {TOKEN_VARIABLE}",
            next_step=f"set {TOKEN_VARIABLE}, or leave --host out",
        )


def bind(host: str, port: int) -> socket.socket:
    """Opens a socket on `port`, or on the next free port after it; port 0 takes any."""
    for candidate in [0] if port == 0 else range(port, min(port + PORTS_TRIED, 65_536)):
        try:
            listener = _bind(host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _cannot_listen(f"{host}:{candidate}: {error.strerror}") from error
            continue
        if candidate != port:
            _LOGGER.warning("port %d is in use; taking %d", port, candidate)
        return listener
    raise _cannot_listen(f"ports {port} to {port + PORTS_TRIED - 1}, all in use")


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is named; without it answers take 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # So that a restarted server need not wait until the system has forgotten old connections.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Only this reserves the port: two servers that start together can both bind it.
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _cannot_listen(got: str) -> ReleaseError:
    return ReleaseError(
        got, expected="an address and port to listen on", next_step="choose another --port"
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.serving.server")
    source = parser.add_mutually_exclusive_group(required=True)
    followed = "file that names the bundle; changes are followed"
    source.add_argument("--pointer", type=Path, help=followed)
    source.add_argument("--bundle", type=Path, help="folder of one bundle to serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    port = "port to listen on, or the next free one"
    parser.add_argument("--port", type=int, default=8000, help=port)
    parser.add_argument("--state", type=Path, help="file for pid and address while it runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
