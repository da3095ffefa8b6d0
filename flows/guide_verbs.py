"""Write a first guide for the people who label, from the product file.

modelyard guide new [--product FILE] [--force]      # annotations/guide.md
"""

import argparse
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.problem.problems import CLASSIFICATION, REGRESSION


def add_guide_verbs(parser: argparse.ArgumentParser) -> None:
    """Adds what can be done with the guide to the command line."""
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "write a first guide, with a section for each label of the product"
    new = verbs.add_parser("new", help=text)
    new.add_argument("--force", action="store_true", help="overwrite a guide")
    named = "a product file, or a product's name; else product.yaml"
    new.add_argument("--product", default="", metavar="FILE", help=named)


def new_guide(root: Path, *, product: str, force: bool) -> Path:
    """Writes annotations/guide.md from the product file; returns its path.

    Args:
        product: as the command line names it; empty for the user's own.

    Raises:
        DataError: there is a guide already, and it is not to be overwritten.
    """
    from flows.annotate import guide_file
    from flows.execution.rows_to_label import annotation_folder
    from flows.planning.resolution import Variation, resolved
    from pipeline.annotation.guide_text import first_guide
    from pipeline.annotation.guide_versions import GUIDE_FOLDER, read_versions
    from pipeline.core.files import write_text

    params = resolved(root, Variation(product=product))
    asked, annotations = params.product, Paths(root).annotations
    file = guide_file(annotations, asked.name)
    if file is None:
        raise DataError(
            "annotations/ has the labels of another product",
            expected=f"no published labels, or those of {asked.name}",
            next_step="move votes.parquet, manifest.json, guide.md and guide/ out of annotations/ first",
        )
    known = read_versions(annotation_folder(root, asked.name) / GUIDE_FOLDER)
    if (file.exists() or known) and not force:
        raise DataError(
            f"{file.name} is there already" if file.exists() else "the annotation page has a guide",
            expected="no guide yet",
            next_step="edit it there, or begin anew with --force; its versions are kept",
        )
    write_text(
        file,
        first_guide(
            asked.name, asked.labels, question=question_of(params), audience=asked.audience
        ),
    )
    return file


def question_of(params: Params) -> str:
    """The question that people are asked about each row of the product."""
    product = params.product
    thing = "pair of texts" if product.pairs else "text"
    if product.problem == REGRESSION:
        return f"Which number of {product.labels[0]} does this {thing} have?"
    if product.problem == CLASSIFICATION:
        return f"Which one of the labels below does this {thing} have?"
    return (
        f"Which of the labels below does this {thing} have? Several are possible, and so is none."
    )


def run_guide_verb(root: Path, options: argparse.Namespace) -> None:
    """Does what the command line asks for, and says what was written."""
    file = new_guide(root, product=options.product, force=options.force)
    say(
        f"Wrote {file.relative_to(root)}. Put a rule and examples under each label, there or on the page of `make annotate`."
    )
