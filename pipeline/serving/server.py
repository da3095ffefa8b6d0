"""Serve a model over HTTP: follow a pointer file from release to release, or serve one bundle.

    python -m pipeline.serving.server --pointer .modelyard/products/<name>/current.json
    python -m pipeline.serving.server --bundle artifacts/gate/bundle --port 8000

Takes the next free port when the wished one is in use, and says so. `--state FILE` is written when
the server listens (`pid`, `host`, `port`, `url`) and removed when it stops. SIGTERM ends requests
in work, then the process.
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

from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.files import write_json
from pipeline.runtime.threads import available_cores
from pipeline.serving.admission import Admission
from pipeline.serving.app import create_app
from pipeline.serving.guard import is_loopback
from pipeline.serving.hot_swap import ModelHolder, PointerFollower

TOKEN_VARIABLE = "MODELYARD_TOKEN"  # noqa: S105 - the name of a variable, not a secret
QUEUE = 64
PORTS_TRIED = 50
GRACE_SECONDS = 5
_LOGGER = logging.getLogger("modelyard.server")


class Server(uvicorn.Server):
    """A uvicorn server that tells in a file where it listens."""

    def __init__(self, config: uvicorn.Config, *, address: tuple[str, int], state: Path | None):
        super().__init__(config)
        self._address = address
        self._state = state

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        host, port = self._address
        url = f"http://{_url_host(host)}:{port}/"
        _LOGGER.info("listening on %s", url)
        if self._state is not None:
            write_json(self._state, {"pid": os.getpid(), "host": host, "port": port, "url": url})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end what is in work, and take the state file away."""
        if self._state is not None:
            self._state.unlink(missing_ok=True)
        await super().shutdown(sockets)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and serve. Returns the exit code."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(options)
    except PipelineError as error:
        print(f"serve failed\n  {error}", file=sys.stderr)
        return 1
    return 0


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        PipelineError: the bundle does not load, no port is free, or a token is needed.
    """
    token = os.environ.get(TOKEN_VARIABLE) or None
    check_exposure(options.host, token)
    holder = ModelHolder()
    follower = None if options.pointer is None else PointerFollower(holder, options.pointer)
    if options.bundle is not None:
        holder.load(options.bundle)
    app = create_app(
        holder,
        admission=Admission(workers=available_cores(), queue=QUEUE),
        background=None if follower is None else follower.follow,
        token=token,
        loopback_only=is_loopback(options.host),
    )
    listener = bind(options.host, options.port)
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        # The access log costs a third of a small request's time and tells nothing of the answer.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _stop_with_success()
    address = (options.host, int(listener.getsockname()[1]))
    Server(config, address=address, state=options.state).run(sockets=[listener])


def _stop_with_success() -> None:
    """Let a stop that was asked for end with exit code 0.

    uvicorn ends its work on a signal, then raises the signal again for the handler set before.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def check_exposure(host: str, token: str | None) -> None:
    """Refuse to listen where other machines reach, unless callers need a token.

    Raises:
        ReleaseError: no token is set.
    """
    if token is None and not is_loopback(host):
        raise ReleaseError(
            f"host {host}, which other machines can reach, and no token",
            expected=f"a loopback host, or a secret in {TOKEN_VARIABLE}",
            next_step=f"set {TOKEN_VARIABLE}, or leave --host out",
        )


def bind(host: str, port: int) -> socket.socket:
    """A socket on `port` or the next free one after it; port 0 takes any.

    Raises:
        ReleaseError: none of them is free, or the address is not this machine's.
    """
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
    # asyncio sets TCP_NODELAY only where the protocol is named; without it answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # So that a restarted server need not wait for old connections to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Taken for good only now: two servers that start together could both have bound it.
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _cannot_listen(got: str) -> ReleaseError:
    return ReleaseError(
        got, expected="an address and port to listen on", next_step="choose another --port"
    )


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.serving.server")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pointer", type=Path, help="file that names the bundle; it is followed")
    source.add_argument("--bundle", type=Path, help="folder of one bundle to serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port; the next free one if in use")
    parser.add_argument("--state", type=Path, help="file that tells pid and address while it runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
