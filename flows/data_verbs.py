"""Check files, fetch sources, name the state of the data, list and compare its versions, find rows by id.

    modelyard data check FILE… [--json]             # flows/data_check.py
    modelyard data fetch [NAME…] [--again | --full] # sources at an address or in a database
    modelyard data version v2 [--product FILE]      # the rows of the last build are v2 from now on
    modelyard data list [--json]
    modelyard data diff v1 v2 [--json]              # `now` is the last build's rows: data diff v2 now
    modelyard data find ID… [--json]                # flows/data_find.py: rows by the ids of their sources

How a version is stored and read: pipeline/data/versions.py.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.progress import say

Adder = Callable[..., argparse.ArgumentParser]
_NAMED = "a product file, or a product's name; else product.yaml"


def add_data_verbs(parser: argparse.ArgumentParser) -> None:
    """Adds what can be done with the data to the command line."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_check(verbs.add_parser)
    _add_fetch(verbs.add_parser)
    _add_versions(verbs.add_parser)


def run_data_verb(root: Path, options: argparse.Namespace) -> int:
    """Does what the command line asks for; returns the exit code."""
    code: int | None = options.act(root, options)
    return code or 0


def _add_check(add: Adder) -> None:
    """Adds `check`."""
    check = add("check", help="look at files as a build would, and say what is in them")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="none is changed")
    check.add_argument("--text", default="", metavar="COLUMN", help="the column of the texts")
    check.add_argument("--label", default="", metavar="COLUMN", help="the column of the labels")
    check.add_argument("--json", action="store_true", help="for a program")
    check.set_defaults(act=_check)


def _check(root: Path, options: argparse.Namespace) -> int:
    from flows.data_check import run

    return run(root, options)


def _add_fetch(add: Adder) -> None:
    """Adds `fetch`."""
    fetch = add("fetch", help="bring what lies at an address or in a database into data/")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="of a source; none for all")
    fetch.add_argument(
        "--again", action="store_true", help="also what is there; with since_column, newer rows"
    )
    fetch.add_argument("--full", action="store_true", help="as --again, but always all rows")
    fetch.add_argument("--product", default="", metavar="FILE", help=_NAMED)
    fetch.set_defaults(act=_fetch)


def _fetch(root: Path, options: argparse.Namespace) -> None:
    from flows.fetching.before_build import remote_sources
    from flows.fetching.fetch import fetch_sources
    from flows.planning.resolution import Variation, resolved

    params = resolved(root, Variation(product=options.product))
    known = [source.name for source in remote_sources(params)]
    if unknown := [name for name in options.names if name not in known]:
        raise DataError(
            f"{unknown[0]} is no source at an address or in a database",
            expected=f"one of: {', '.join(known) or '(the product file has none)'}",
            next_step="correct the name, or give the source a `url`",
        )
    again, full = options.again, options.full
    for fetched in fetch_sources(root, params, again=again, full=full, names=options.names):
        come = "fetched" if fetched.is_new else "there already"
        say(f"{fetched.source}  {come}  {fetched.file.relative_to(root)}")
    if not known:
        say("No source of the product lies at an address or in a database: nothing to fetch.")


def _add_versions(add: Adder) -> None:
    """Adds `version`, `list`, `diff` and `find`."""
    version = add("version", help="give the rows of the last build a name for good")
    version.add_argument("name", metavar="NAME", help="such as v2")
    version.set_defaults(act=_version)
    listed = add("list", help="show the data versions")
    listed.set_defaults(act=_list)
    diff = add("diff", help="say which rows differ between two versions, and by whom")
    for name in ("a", "b"):
        diff.add_argument(name, metavar=name.upper(), help="a version; now: the last build's rows")
    diff.set_defaults(act=_diff)
    find = add("find", help="say where the rows are that have these ids, of their sources or ours")
    find.add_argument("ids", nargs="+", metavar="ID", help="as `id_column` holds it")
    find.set_defaults(act=_find)
    for each in (version, diff, find):
        each.add_argument("--product", default="", metavar="FILE", help=_NAMED)
    for each in (listed, diff, find):
        each.add_argument("--json", action="store_true", help="for a program")


def _version(root: Path, options: argparse.Namespace) -> None:
    from flows.console.version_texts import listed
    from flows.execution.data_versions import equal_versions, make_version
    from flows.planning.resolution import Variation

    name = options.name
    note = make_version(root, name, Variation(product=options.product))
    say(listed({name: note}))
    if same := equal_versions(root, name):
        say(f"The rows are those of {', '.join(same)}.")
    say(f"Next: git add versions/.gitignore versions/{name}.parquet.dvc && git commit")
    say(f"      dvc push versions/{name}.parquet.dvc    (where you have a remote)")


def _list(root: Path, options: argparse.Namespace) -> None:
    from flows.console.version_texts import listed, listed_as_json
    from flows.execution.data_versions import notes_of

    notes = notes_of(root)
    say(_json(listed_as_json(notes)) if options.json else listed(notes))


def _diff(root: Path, options: argparse.Namespace) -> None:
    from flows.console.version_texts import described
    from flows.execution.data_versions import compare_versions
    from flows.planning.resolution import Variation

    variation = Variation(product=options.product)
    comparison = compare_versions(root, options.a, options.b, variation)
    say(_json(comparison.as_json()) if options.json else described(comparison))


def _find(root: Path, options: argparse.Namespace) -> int:
    from flows.data_find import run

    return run(root, options)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
