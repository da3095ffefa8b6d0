"""The arguments of `modelyard`: verbs, their options, and `section.key=value`."""

import argparse
import os
import shlex
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

MAKE_VARIABLE = "MODELYARD_SET"
"""Holds make's SET: `section.key=value` words, quoted as in a shell."""

Adder = Callable[[str, str], argparse.ArgumentParser]
"""Adds a verb by its name and what it does."""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The verb and its options; `section.key=value` may be anywhere among them."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    if not hasattr(options, "changes"):
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return options
    # argparse hands back the words after an option, which it does not take for the positional.
    options.changes = [*options.set, *options.changes, *rest]
    for word in options.changes:
        if "=" not in word or word.startswith("-"):
            parser.error(f"{word!r}: expected section.key=value, for example finetune.epochs=1")
    try:
        options.changes = [*shlex.split(os.environ.pop(MAKE_VARIABLE, "")), *options.changes]
    except ValueError as error:
        parser.error(f"SET: {error}, for a value is quoted as in a shell")
    return options


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="modelyard", description="From raw text to a compressed model that is served."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")

    build = verb("build", "run the stages that are stale, then release what the gate passed")
    _add_changes(build)
    build.add_argument(
        "--no-release", "--no-deploy", action="store_true", help="stop after the gate"
    )
    build.add_argument(
        "--release", "--deploy", action="store_true", help="also release a build with key=value"
    )
    release = verb("release", "release a bundle: register, verify, promote, verify again")
    release.add_argument("bundle", nargs="?", type=Path, help="its folder; else artifacts/gate's")
    release.add_argument("--port", type=int, help="where a new server should listen")
    release.add_argument("--rollback", nargs="?", const="", metavar="HASH", help="a former bundle")
    release.add_argument(
        "--at", type=datetime.fromisoformat, metavar="TIME", help="say what served"
    )
    release.add_argument("--product", help="name of the product; else that of params.yaml")
    _add_changes(verb("retrain", "build from new data; release only what is not worse"))
    _add_changes(verb("search", "try recipes until one meets product.requirements"))
    _add_serving_verbs(verb)
    compare = verb("compare", "show the models of all builds here in one table")
    compare.add_argument("--all", action="store_true", help="variants without a test figure, too")
    _add_glue(verb("glue", "fine-tune on the GLUE tasks; table, report and submission"))
    _add_looking_verbs(verb)
    return parser


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "changes", nargs="*", metavar="section.key=value", help="parameters for this run alone"
    )
    parser.add_argument("--set", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--profile", help="name of a file in profiles/, applied first")


def _add_serving_verbs(verb: Adder) -> None:
    serve = verb("serve", "serve the released model, detached; print its address")
    serve.add_argument("--port", type=int, help="else MODELYARD_PORT, else 8000; or the next free")
    serve.add_argument("--product", help="name of the product; else that of params.yaml")
    ui = verb("ui", "start Prefect, MLflow and the worker that runs forms and schedules")
    ui.add_argument("--prefect-port", type=int, default=4200, help="4200 or the next free one")
    ui.add_argument("--mlflow-port", type=int, default=5000, help="5000 or the next free one")
    verb("stop", "stop what serve and ui started")


def _add_glue(parser: argparse.ArgumentParser) -> None:
    _add_changes(parser)
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--data", type=Path, metavar="DIR", help="official files, one folder a task")
    rows.add_argument("--datasets", metavar="NAME_OR_FOLDER", help="what `datasets` reads")
    parser.add_argument("--tasks", default="", help="CoLA,MRPC,…; else all that are there")
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help="a checkpoint's folder")
    parser.add_argument("--seeds", default="1", help="1,2,3")
    parser.add_argument("--seen", metavar="NAMES", help="data sets the encoder was trained on")


def _add_looking_verbs(verb: Adder) -> None:
    stage = verb("stage", "run one stage by hand, in the environment of a build")
    stage.add_argument("stage", metavar="NAME", help="prune, for example")
    how = stage.add_mutually_exclusive_group()
    how.add_argument("--force", action="store_true", help="even where it is up to date")
    how.add_argument("--plain", action="store_true", help="without DVC, for a debugger")
    explain = verb("explain", "say what a parameter is, where it is read, what reruns")
    explain.add_argument("key", metavar="section.key")
    explain.add_argument("--json", action="store_true", help="for a program")
    _add_changes(verb("check", "say whether a build could start, without building"))
