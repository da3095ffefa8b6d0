"""The sentences in which the check of a file says how it is written and what its labels are."""

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.columns import says_nothing
from pipeline.data.encodings import name_of
from pipeline.data.file_look import Look, is_read_as_named
from pipeline.data.file_rows import Read
from pipeline.data.garbled import notes_on_garbled
from pipeline.data.json_file import answered_by_several, exported_by
from pipeline.data.label_doubts import doubts, doubts_of_cells
from pipeline.data.label_forms import LabelForm
from pipeline.problem.problems import CLASSIFICATION, problem_named


def layout_notes(path: Path, look: Look) -> Iterator[str]:
    """How the file is written, as far as its source must say it."""
    if look.packing:
        yield f"packed with {look.packing}; read as it is"
    if look.layout.encoding:
        named = look.layout.encoding
        yield f"in {name_of(named)}: write `encoding: {named}` into its source, and look at what is read"
    if look.layout.separator:
        yield f"write `separator: {json.dumps(look.layout.separator)}` into its source"
    if not is_read_as_named(path, look):
        yield f"{look.format} by what is in it: builds need a file that ends in {look.ending}"


def export_notes(file: Path, look: Look) -> Iterator[str]:
    """Which annotation tool wrote a file of JSON, and how far people disagree in it."""
    tool = exported_by(file, look.layout)
    if tool is None:
        return
    yield f"an export of {tool}"
    several, apart = answered_by_several(file, look.layout)
    if several:
        yield (
            f"{several:,} rows have answers of several people, {apart:,} of them different ones: the first"
            " answer counts; to count all, put the labels of each person into annotations/"
        )


def row_notes(read: Read) -> Iterator[str]:
    """How many rows were looked at, where not all of them were; and what was spoiled before in the texts."""
    if read.count > len(read.rows):
        yield (
            f"labels, rejects and personal data are those of {len(read.rows):,} rows, chosen at random"
            f" from {read.count:,}"
        )
    yield from notes_on_garbled([row[read.text] for _, row in read.rows])


def label_notes(read: Read, form: LabelForm | None, *, unlabelled: int) -> Iterator[str]:
    """Says what the labels are, and what is odd about them."""
    if form is None:
        yield _without_labels(read)
        return
    words = problem_named(form.problem).words.answer_of_a_text
    joined = f", joined by {form.separator!r}" if form.separator else ""
    yield f"labels: {read.label}, {words}{joined}"
    if unlabelled:
        yield f"{unlabelled:,} row{'s have' if unlabelled > 1 else ' has'} no label"
    if form.problem == CLASSIFICATION and len(form.counts) == 1:
        yield "all labelled rows have one label: a product needs rows of another one, too"
    if form.problem == CLASSIFICATION:
        yield from doubts(form.counts)
    if read.label is not None:
        yield from doubts_of_cells(read.rows, text=read.text, label=read.label)


def _without_labels(read: Read) -> str:
    if read.label is None:
        return "no labels"
    cells = {row.get(read.label, "") for _, row in read.rows}
    if all(map(says_nothing, cells)):
        return f"no labels: {read.label} is empty"
    return f"no labels: {read.label} has {len(cells):,} different values in {len(read.rows):,} rows"
