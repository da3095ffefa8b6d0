"""Try a bundle on a copy of real traffic before anyone depends on it.

    modelyard shadow [status] [--json]                   # how the candidate stands, and the verdict
    modelyard shadow start FOLDER [--canary 5%] [--other-labels 2%] [--promote]
    modelyard shadow promote [--wait]                    # release it, if the judge says so
    modelyard shadow stop                                # end; what was found stays

docs/guide/shadow.md says what the judge tests, and after how many requests it finds what.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from pipeline.core.progress import say

Adder = Callable[..., argparse.ArgumentParser]
_NAMED = "a product file, or a product's name; else product.yaml"


def add_shadow_verbs(parser: argparse.ArgumentParser) -> None:
    """Adds what can be done with a candidate to the command line."""
    parser.add_argument("--product", default="", metavar="FILE", help=_NAMED)
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.set_defaults(act=_status)
    verbs = parser.add_subparsers(
        dest="action", metavar="ACTION", help="else how the candidate stands is told"
    )
    _add_start(verbs.add_parser)
    _add_rest(verbs.add_parser)


def run_shadow_verb(root: Path, options: argparse.Namespace) -> int:
    """Does what the command line asks for; returns the exit code."""
    options.act(root, options)
    return 0


def _add_start(add: Adder) -> None:
    start = add("start", help="let the server try a bundle on a copy of its requests")
    start.add_argument("bundle", type=Path, metavar="FOLDER", help="artifacts/gate/bundle, say")
    canary = "share of the requests that it answers itself; else none"
    start.add_argument("--canary", type=_share, default=0.0, metavar="SHARE", help=canary)
    other = "share of the requests that may get another label; else 2%%"
    start.add_argument("--other-labels", type=_share, metavar="SHARE", help=other)
    promoted = "wait for the verdict, and release the bundle if it is promote"
    start.add_argument("--promote", action="store_true", help=promoted)
    start.set_defaults(act=_start)


def _add_rest(add: Adder) -> None:
    status = add("status", help="say how the candidate stands")
    status.add_argument("--json", action="store_true", help="for a program")
    status.set_defaults(act=_status)
    promote = add("promote", help="release the candidate, if the judge says so")
    promote.add_argument("--wait", action="store_true", help="until there is a verdict")
    promote.set_defaults(act=_promote)
    stop = add("stop", help="end; what was found stays")
    stop.set_defaults(act=_stop)
    for parser in (status, promote, stop):
        parser.add_argument("--product", default="", metavar="FILE", help=_NAMED)


def _start(root: Path, options: argparse.Namespace) -> None:
    from flows.console.candidate_words import as_text
    from flows.shadow_candidate import begin
    from pipeline.release.rollout import bundle_product

    asked = {"canary": options.canary, "other_labels": options.other_labels}
    say(as_text(begin(root, options.bundle, **asked)))
    if options.promote:
        _release(root, bundle_product(options.bundle), wait=True)


def _status(root: Path, options: argparse.Namespace) -> None:
    from flows.console.candidate_words import as_json, as_text
    from flows.shadow_candidate import status

    found = status(root, _product(root, options))
    say(json.dumps(as_json(found), indent=2) if options.json else as_text(found))


def _promote(root: Path, options: argparse.Namespace) -> None:
    _release(root, _product(root, options), wait=options.wait)


def _stop(root: Path, options: argparse.Namespace) -> None:
    from flows.console.candidate_words import as_text
    from flows.shadow_candidate import end

    say(as_text(end(root, _product(root, options))))
    say("The candidate is not tried any more.")


def _release(root: Path, product: str, *, wait: bool) -> None:
    from flows.shadow_candidate import promote

    result = promote(root, product, wait=wait)
    say(f"{result.name}: {result.outcome}. {result.address}/")


def _product(root: Path, options: argparse.Namespace) -> str:
    from flows.rollback import product_in_production

    return product_in_production(root, options.product)


def _share(text: str) -> float:
    """A share for argparse, `5%` or `0.05`; 0 to 1."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a share from 0 to 1, such as 5%")
    return share
