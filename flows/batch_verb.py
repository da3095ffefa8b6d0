"""Answer all texts of a file with the released model, or with the bundle in a folder.

    modelyard batch reviews.csv answers.parquet
    modelyard batch questions.jsonl answers.jsonl --bundle artifacts/gate/bundle --text question --second reply

What is asked of a file, what stands in the output, and how it goes on after a kill: docs/guide/batch.md.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import ReleaseError
from pipeline.core.progress import say

if TYPE_CHECKING:
    from pipeline.batch.batch_run import BatchRequest, BatchResult

_TEXT, _SECOND = "text", "second"
"""Names of the columns that are tried last: those of a request to the server."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what the verb can be told to the command line."""
    parser.add_argument(
        "source", type=Path, metavar="IN", help="CSV, TSV, JSON or Parquet of texts"
    )
    formats = "the file to write; .csv, .tsv, .jsonl or .parquet is its format"
    parser.add_argument("output", type=Path, metavar="OUT", help=formats)
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="else the released one")
    text = "the column of the texts; else as the product file has it, or `text`"
    parser.add_argument("--text", default="", metavar="COLUMN", help=text)
    second = "the column of the second texts, for a model of pairs"
    parser.add_argument("--second", default="", metavar="COLUMN", help=second)
    columns = "the columns of IN that stay, none for an empty name; else all"
    parser.add_argument("--columns", metavar="NAME,NAME", help=columns)
    prefix = "what stands before the names of the answers"
    parser.add_argument("--prefix", metavar="TEXT", help=prefix)
    workers = "processes that answer; else as many as there are cores"
    parser.add_argument("--workers", type=_workers, metavar="N", help=workers)
    again = "start over, and replace OUT"
    parser.add_argument("--again", action="store_true", help=again)
    named = "a product file, or a product's name; else product.yaml"
    parser.add_argument("--product", default="", metavar="FILE", help=named)


def run(root: Path, options: argparse.Namespace) -> None:
    """Answers the file, and says what was done."""
    from pipeline.batch.batch_run import run_batch

    request = request_of(root, options)
    started = time.monotonic()
    try:
        result = run_batch(request)
    except KeyboardInterrupt:
        if request.parts.is_dir():
            say(
                f"\nWhat is answered stays in {request.parts}; the same command goes on from there."
            )
        raise
    say(_told(request, result, time.monotonic() - started))


def request_of(root: Path, options: argparse.Namespace) -> "BatchRequest":
    """The batch that a command line asks for.

    Raises:
        ReleaseError: no bundle is named, and none is released.
        ParameterError: the product file, which names the columns of the texts, cannot be read.
    """
    from pipeline.batch.batch_run import BatchRequest

    names = options.columns
    return BatchRequest(
        source=options.source,
        output=options.output,
        bundle=options.bundle or _released(root, options.product),
        texts=_text_columns(root, options),
        columns=None if names is None else [name for name in names.split(",") if name],
        prefix=options.prefix,
        workers=options.workers,
        again=options.again,
    )


def _released(root: Path, given: str) -> Path:
    """The copy of the bundle that the product's pointer names."""
    from flows.release import product_named
    from pipeline.release.state import ReleaseState

    state = ReleaseState(root, product_named(root, given))
    current = state.current()
    if current is None:
        raise ReleaseError(
            f"no released model of {state.product}",
            expected="a model that passed the gate and was released",
            next_step="run `make pipeline`, or name the folder of a bundle with --bundle",
        )
    return state.release(current)


def _text_columns(root: Path, options: argparse.Namespace) -> Sequence[tuple[str, ...]]:
    """Where the texts may stand, the likeliest first: as one column, and as two for pairs."""
    if options.text:
        return [(options.text, options.second)] if options.second else [(options.text,)]
    from flows.planning.resolution import Variation, resolved

    sources = resolved(root, Variation(product=options.product)).collect.sources
    tried: list[tuple[str, ...]] = []
    for source in sources:
        second = options.second or source.second_text_column
        tried += [(source.text_column, second)] if second else [(source.text_column,)]
    usual: list[tuple[str, ...]] = [(_TEXT,), (_TEXT, options.second or _SECOND)]
    return [*dict.fromkeys([*tried, *usual])]


def _told(request: "BatchRequest", result: "BatchResult", seconds: float) -> str:
    lines = [f"{request.output}  {result.rows:,} rows"]
    if result.errors:
        lines[0] += (
            f", {result.errors:,} of them without an answer: the column {result.prefix}error says why"
        )
    if result.prefix and request.prefix is None:
        lines.append(
            f"The file has a column called as an answer is, so the answers begin with {result.prefix}"
        )
    before = result.rows - result.answered
    rate = (
        f"{result.answered / max(seconds, 1e-9):,.0f} a second" if result.answered else "none now"
    )
    lines.append(f"answered now  {result.answered:,} ({rate}); before  {before:,}")
    return "\n".join(lines)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 1 or more")
    return int(text)
