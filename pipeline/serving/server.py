"""Serves a model over HTTP: follows a pointer file from release to release, or serves one bundle.

    python -m pipeline.serving.server --pointer .modelyard/products/<name>/current.json
    python -m pipeline.serving.server --bundle artifacts/gate/bundle --port 8000

If the port is in use, the server takes the next free one and says so. This process holds the socket
and keeps the workers running that answer (`supervisor.py`); on SIGTERM they finish what they have,
on SIGHUP they are replaced by workers of the code as it is now. `--state FILE` describes them while
they run (`ServerNote`).
"""

import errno
import importlib.util
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.core.access_token import TOKEN_VARIABLE, access_token
from pipeline.core.addresses import is_loopback
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.output import forgive_output
from pipeline.core.process_identity import this_process
from pipeline.core.server_note import ServerNote
from pipeline.serving.options import STANDARD_OUTPUT, ServerOptions, read_options
from pipeline.serving.supervisor import HANDED_ON, TRIAL, Supervisor, handed_listener

PORTS_TRIED = 50
PARSERS = ("httptools", "uvloop")
"""Packages for HTTP and the event loop, which a worker must have."""
END_SECONDS = 45.0
"""How long after the drain time a worker may still take, for its replacement and running requests."""
_LOGGER = logging.getLogger("modelyard.server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and serves. Returns the exit code."""
    forgive_output()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = read_options(given)
    if options.log is not None and TRIAL not in os.environ:
        _write_to(options.log)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        return serve(options, given)
    except PipelineError as error:
        print(f"serve failed\n  {error}", file=sys.stderr)
        return 1


def serve(options: ServerOptions, arguments: Sequence[str]) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    check_parsers()
    check_exposure(options.host, access_token(os.environ))
    handed_on = os.environ.pop(HANDED_ON, None)
    listener = handed_listener(handed_on) if handed_on else bind(options.host, options.port)
    host, port = options.host, int(listener.getsockname()[1])
    url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    note = ServerNote(process=this_process(), host=host, port=port, url=url)
    supervisor = Supervisor(
        listener,
        arguments,
        count=options.workers,
        limit=options.drain + END_SECONDS,
        note=note,
        changed=lambda changed: changed.save(options.state) if options.state else None,
        logs=kept_short(options),
        pointer=options.pointer,
    )
    if handed_on:
        supervisor.adopt(handed_on)
        if TRIAL in os.environ:
            return 0
    else:
        # The socket takes connections already; they are answered once a worker has started.
        _LOGGER.info("listening on %s", url)
    try:
        return supervisor.run()
    finally:
        if options.state is not None:
            options.state.unlink(missing_ok=True)


def kept_short(options: ServerOptions) -> tuple[Path, ...]:
    """The files that grow with each request, which the supervisor bounds."""
    logs = (options.log, options.access_log)
    return tuple(log for log in logs if log is not None and log != STANDARD_OUTPUT)


def check_parsers(names: Sequence[str] = PARSERS) -> None:
    """Refuses to start where uvicorn would take its slow parser and loop in place of these packages."""
    if missing := [name for name in names if importlib.util.find_spec(name) is None]:
        raise ReleaseError(
            f"a server without {' and '.join(missing)}",
            expected=f"{' and '.join(names)}: without them it takes half as long again for a request",
            next_step="install the extra `serve`: pip install '.[serve]'",
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


def _write_to(log: Path) -> None:
    """Sends this process's output, and that of its workers, to the end of a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
