"""Runs the sub-verbs on data: `modelyard data check FILE…`.

A sub-verb is a file `flows/data_<name>.py` beside this one, imported when it runs: its function `run` takes
the arguments and returns the exit code.
"""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def add_subverbs(parser: argparse.ArgumentParser) -> None:
    """Puts the sub-verbs on the command line of `modelyard data`."""
    verbs = parser.add_subparsers(dest="subverb", required=True, metavar="WHAT")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")

    _add_check(verb("check", "look at files as a build would, and say what is in them"))


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="none is changed")
    parser.add_argument("--text", default="", metavar="COLUMN", help="the column of the texts")
    parser.add_argument("--label", default="", metavar="COLUMN", help="the column of the labels")
    parser.add_argument("--json", action="store_true", help="for a program")


def run(options: argparse.Namespace) -> int:
    """Runs the sub-verb; returns the exit code."""
    chosen: Callable[[argparse.Namespace], int]
    chosen = import_module(f"flows.data_{options.subverb}").run
    return chosen(options)
