"""The command line of a server. Its workers get the same."""

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.serving.order import ORDERS, Order
from pipeline.serving.prefix_rule import RULE_IN_WORDS, Network, is_prefix

DRAIN_SECONDS = 5.0
STANDARD_OUTPUT = Path("-")
"""The file name that stands for the server's own output."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """The options of a server; either `pointer` or `bundle` is given.

    Attributes:
        workers: processes that answer requests.
        drain: seconds in which a server that ends still takes connections, so that balancers see that
            it is not ready before it refuses any.
        order: in which requests that wait are computed; `arrival` is for comparison.
        state: file for processes and address while it runs.
        candidate: file or folder of a bundle that is tried beside the one served; see `Shadow`.
        pairs: folder for what was found out about candidates.
        log: file for the output; no longer than twice `supervisor.LOG_BYTES` with the one before it.
        access_log: file for a line of JSON an answer, kept as short; `-` is the server's own output.
        root_path: prefix that the proxy before the server leaves on paths, such as `/model`; or empty.
        trusted_proxy: networks of proxies whose X-Forwarded-Prefix counts, besides the loopback.
        feedback: file that keeps what people say of answers, with the texts; None keeps nothing.
        browser: folder of the version that runs in a browser, which is served under /browser/.
    """

    pointer: Path | None
    bundle: Path | None
    host: str
    port: int
    workers: int
    drain: float
    order: Order
    state: Path | None
    candidate: Path | None
    pairs: Path | None
    log: Path | None
    access_log: Path | None
    root_path: str
    trusted_proxy: tuple[Network, ...]
    feedback: Path | None
    browser: Path | None


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
    order = "which waiting request comes next: the shortest, with ageing, or the oldest"
    parser.add_argument("--order", choices=ORDERS, default="shortest", help=order)
    parser.add_argument("--state", type=Path, help="file for processes and address while it runs")
    tried = "bundle to try in idle time: its folder, or a file that names it and is followed"
    parser.add_argument("--candidate", type=Path, help=tried)
    found = "folder for what is found out about candidates; else `shadow` beside the candidate"
    parser.add_argument("--pairs", type=Path, help=found)
    parser.add_argument("--log", type=Path, help="file for the output, bounded; else the terminal")
    lines = "file for a line of JSON about each answer, without texts; - is the output"
    parser.add_argument("--access-log", type=Path, metavar="FILE", help=lines)
    below = "prefix that the proxy before this server leaves on paths, such as /model"
    parser.add_argument("--root-path", type=_prefix, default="", metavar="PREFIX", help=below)
    proxy = "network of a proxy whose X-Forwarded-Prefix counts, besides the loopback; repeatable"
    parser.add_argument(
        "--trusted-proxy", type=_network, action="append", default=[], metavar="NETWORK", help=proxy
    )
    feedback = "file that keeps texts whose answers people call right or wrong; else none is kept"
    parser.add_argument("--feedback", type=Path, help=feedback)
    browser = "folder that `modelyard edge` wrote, served under /browser/"
    parser.add_argument("--browser", type=_page_folder, help=browser)
    given = vars(parser.parse_args(arguments))
    options = ServerOptions(**{**given, "trusted_proxy": tuple(given["trusted_proxy"])})
    if options.candidate is not None and options.pairs is None:
        return replace(options, pairs=options.candidate.parent / "shadow")
    return options


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected 1 or more")
    return value


def _prefix(text: str) -> str:
    prefix = text.rstrip("/")
    if prefix and not is_prefix(prefix):
        raise argparse.ArgumentTypeError(f"{text}; expected {RULE_IN_WORDS}")
    return prefix


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; expected an address, or a network such as 10.0.0.0/8"
        ) from None


def _page_folder(text: str) -> Path:
    if not (folder := Path(text)).joinpath("index.html").is_file():
        raise argparse.ArgumentTypeError(f"{text}; expected a folder with index.html")
    return folder


def _seconds(text: str) -> float:
    if not 0 <= (value := float(text)) <= 3600:
        raise argparse.ArgumentTypeError(f"{text}; expected 0 to 3600 seconds")
    return value
