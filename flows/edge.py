"""Write a static folder that runs the released model in a browser, and compare it with Python.

modelyard edge --out DIR [--bundle FOLDER] [--texts FILE] [--sentences N] [--hostile N] [--no-check] [--serve]

It ends with a report of parity, on the screen and in `parity.json` of the folder; exit code 1 where
the browser reads or answers otherwise than Python. docs/guide/browser.md says how to publish the folder.
"""

import argparse
import time
from pathlib import Path

from flows.rollback import product_in_production
from pipeline.core.errors import ReleaseError
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.release.state import ReleaseState

_SENTENCES, _HOSTILE, _PORT = 2000, 1000, 8400


def add_edge_options(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--bundle", type=Path, metavar="FOLDER", help="else the released bundle")
    texts = "to compare on: UTF-8, one a line; else words of the model's vocabulary"
    parser.add_argument("--texts", type=Path, metavar="FILE", help=texts)
    count = f"how many to compare on; else {_SENTENCES}"
    parser.add_argument("--sentences", type=_some, default=_SENTENCES, metavar="N", help=count)
    odd = f"strings made to be misread, beside them; else {_HOSTILE}"
    parser.add_argument("--hostile", type=_some, default=_HOSTILE, metavar="N", help=odd)
    parser.add_argument("--no-check", action="store_true", help="compare nothing")
    parser.add_argument("--serve", action="store_true", help="then serve it here until Ctrl-C")
    parser.add_argument("--port", type=_some, default=_PORT, help=f"for --serve; else {_PORT}")


def write_edge(root: Path, options: argparse.Namespace) -> int:
    """Writes the folder, says what was found, serves it if asked; the exit code.

    Raises:
        PipelineError: there is no released bundle, no Node.js, or the folder is another's.
    """
    from pipeline.edge.edge_build import EdgeRequest, build_edge

    result = build_edge(
        EdgeRequest(
            bundle=options.bundle or released_bundle(root, options.product),
            out=options.out,
            kept_packages=Paths(root).state / "npm",
            texts=options.texts,
            sentences=options.sentences,
            hostile=options.hostile,
            check=not options.no_check,
        )
    )
    written = result.written
    for line in [] if result.parity is None else result.parity.lines():
        say(line)
    say(
        f"{written.folder}: {written.files} files of {written.bytes / 1e6:.1f} MB, "
        f"of which {written.sent / 1e6:.2f} MB travel, once (Brotli)"
    )
    say(f"Compared with Python: {_verdict(failed=result.failed, unchecked=result.unchecked)}.")
    if options.serve:
        serve_folder(options.out, options.port)
    return int(result.failed)


def released_bundle(root: Path, product: str) -> Path:
    """The folder of the bundle in production.

    Raises:
        ReleaseError: none was released.
    """
    state = ReleaseState(root, product_in_production(root, product))
    if (current := state.current()) is None:
        raise ReleaseError(
            f"no released model of {state.product}",
            expected="a model that passed the gate and was released, or --bundle FOLDER",
            next_step="run `make pipeline`, or `make quickstart` for a small one",
        )
    return state.release(current)


def _verdict(*, failed: bool, unchecked: str | None) -> str:
    if unchecked is not None:
        return f"NOT CHECKED, {unchecked}"
    return (
        "IT DIFFERS; do not publish it before parity.json is understood" if failed else "the same"
    )


def serve_folder(folder: Path, port: int) -> None:
    """Serves the folder, if it is as it was written, on this machine until somebody stops it.

    Raises:
        ArtifactError: a file was altered; ReleaseError: the port cannot be had.
    """
    from pipeline.edge.browser_folder import HEADERS, verify_browser_folder
    from pipeline.edge.folder_server import make_server, running

    verify_browser_folder(folder)
    try:
        server = make_server(folder, port=port, headers=HEADERS)
    except (OSError, OverflowError) as error:
        raise ReleaseError(
            f"port {port}: {error}",
            expected="a port that is free",
            next_step="name another with --port",
        ) from error
    with running(server) as address:
        say(f"Served at {address}/ until Ctrl-C.")
        while True:
            time.sleep(1)


def _some(text: str) -> int:
    """A positive number, for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 1 or more")
    return int(text)
