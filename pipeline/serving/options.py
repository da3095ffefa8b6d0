"""The command line of a server. Its workers get the same."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DRAIN_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """The options of a server; either `pointer` or `bundle` is given.

    Attributes:
        workers: processes that answer requests.
        drain: seconds in which a server that ends still takes connections, so that balancers see that
            it is not ready before it refuses any.
        state: file for processes and address while it runs.
        log: file for the output; no longer than twice `supervisor.LOG_BYTES` with the one before it.
    """

    pointer: Path | None
    bundle: Path | None
    host: str
    port: int
    workers: int
    drain: float
    state: Path | None
    log: Path | None


def read_options(arguments: Sequence[str] | None = None) -> ServerOptions:
    """The options on a command line; exits with 2 and a message where they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.serving.server")
    source = parser.add_mutually_exclusive_group(required=True)
    followed = "file that names the bundle; changes are followed"
    source.add_argument("--pointer", type=Path, help=followed)
    source.add_argument("--bundle", type=Path, help="folder of one bundle to serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    port = "port to listen on, or the next free one"
    parser.add_argument("--port", type=int, default=8000, help=port)
    workers = "processes that answer requests; each holds the model"
    parser.add_argument("--workers", type=_count, default=1, help=workers)
    drain = "seconds in which a server that ends still takes connections; its readiness is 503 then"
    parser.add_argument("--drain", type=_seconds, default=DRAIN_SECONDS, help=drain)
    parser.add_argument("--state", type=Path, help="file for processes and address while it runs")
    parser.add_argument("--log", type=Path, help="file for the output, bounded; else the terminal")
    return ServerOptions(**vars(parser.parse_args(arguments)))


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected 1 or more")
    return value


def _seconds(text: str) -> float:
    if not 0 <= (value := float(text)) <= 3600:
        raise argparse.ArgumentTypeError(f"{text}; expected 0 to 3600 seconds")
    return value
