"""Publish what people labelled; take labels from other annotation tools, and write them for others.

    modelyard labels [--json]                                           # annotations/votes.parquet
    modelyard labels import FILE --format label-studio [--annotator NAME]
    modelyard labels export FILE --format prodigy [--unlabelled N] [--force]

The formats are in pipeline/annotation/label_formats.py, one file a tool beside it.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.core.progress import say

Adder = Callable[..., argparse.ArgumentParser]
NAMES = ("label-studio", "doccano", "doccano-csv", "prodigy", "huggingface")
"""The formats, spelled here too so that the command line loads without what reads them."""
_NAMED = "a product file, or a product's name; else product.yaml"


def add_label_verbs(parser: argparse.ArgumentParser) -> None:
    """Adds what can be done with labels to the command line."""
    parser.add_argument("--product", default="", metavar="FILE", help=_NAMED)
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.set_defaults(act=_publish)
    verbs = parser.add_subparsers(
        dest="action",
        metavar="ACTION",
        help="else the labels of `modelyard annotate` are published",
    )
    _add_import(verbs.add_parser)
    _add_export(verbs.add_parser)


def run_label_verb(root: Path, options: argparse.Namespace) -> int:
    """Does what the command line asks for; returns the exit code."""
    code: int | None = options.act(root, options)
    return code or 0


def _publish(root: Path, options: argparse.Namespace) -> None:
    from flows.annotate import as_text, publish_votes

    manifest = publish_votes(root, options.product)
    say(json.dumps(manifest, ensure_ascii=False, indent=2) if options.json else as_text(manifest))


def _add_import(add: Adder) -> None:
    taken = add("import", help="take the labels in another tool's file into annotations/")
    who = "who gave the answers of which the file does not say it; else the format's name"
    taken.add_argument("--annotator", default="", metavar="NAME", help=who)
    _add_common(taken, _import)


def _add_export(add: Adder) -> None:
    written = add(
        "export", help="write the labels in annotations/, with their rows, for another tool"
    )
    more = "also so many rows without a label, chosen at random"
    written.add_argument("--unlabelled", type=_count, default=0, metavar="N", help=more)
    written.add_argument("--force", action="store_true", help="overwrite a file")
    _add_common(written, _export)


def _add_common(parser: argparse.ArgumentParser, act: Callable[..., Any]) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--format", required=True, choices=NAMES, help="the tool's, and its kind of file"
    )
    parser.add_argument("--product", default="", metavar="FILE", help=_NAMED)
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.set_defaults(act=act)


def _import(root: Path, options: argparse.Namespace) -> None:
    from pipeline.annotation.label_formats import format_for
    from pipeline.annotation.label_import import described, import_labels

    format = format_for(options.file, options.format)
    data = _data(root, options.product)
    taken, file = import_labels(options.file, format=format, annotator=options.annotator, **data)
    if not options.json:
        for line in described(taken, str(file.relative_to(root))):
            say(line)
        return
    skips = sum(vote.skipped for vote in taken.votes)
    counts = {"votes": len(taken.votes) - skips, "skips": skips}
    counts |= {"unanswered": taken.unanswered, "altered": taken.altered}
    said = {"file": str(file.relative_to(root)), **counts, "unmatched": [*taken.unmatched]}
    say(json.dumps(said, ensure_ascii=False, indent=2))


def _export(root: Path, options: argparse.Namespace) -> None:
    from pipeline.annotation.label_export import described_export, export_labels
    from pipeline.annotation.label_formats import format_for

    path = options.file
    format = format_for(path, options.format)
    if path.exists() and not options.force:
        raise DataError(
            f"{path} is there already",
            expected="a new file: what people did in it would be lost",
            next_step="name another one, or overwrite it with --force",
        )
    data = _data(root, options.product)
    exported = export_labels(path, format=format, unlabelled=options.unlabelled, **data)
    if options.json:
        say(json.dumps(asdict(exported), ensure_ascii=False, indent=2))
        return
    for line in described_export(exported):
        say(line)


def _data(root: Path, product: str) -> dict[str, Any]:
    """The question of a product, the rows of its last build, and the folder of annotations.

    A build that waits for labels has left its rows, too.
    """
    from flows.execution.rows_to_label import rows_of
    from flows.planning.resolution import Variation, resolved
    from pipeline.annotation.foreign_votes import Question
    from pipeline.annotation.row_file import RowFile
    from pipeline.problem.problems import problem_named

    asked = resolved(root, Variation(product=product)).product
    question = Question(
        problem=problem_named(asked.problem), labels=asked.labels, pairs=asked.pairs
    )
    rows = RowFile(rows_of(root, asked.name, said=product))
    return {"question": question, "rows": rows, "folder": Paths(root).annotations}


def _count(text: str) -> int:
    """A number of rows, for argparse; 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 or more")
    return int(text)
