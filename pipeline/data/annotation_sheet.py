"""Says how many rows people should label, and writes them as a sheet that a spreadsheet can fill in."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.core.errors import LabelsNeededError
from pipeline.core.files import write_text
from pipeline.core.sections import ValidateParams
from pipeline.data.records import Record

_LIKE_A_NUMBER = re.compile(r"\d+(?:e\d+)?")
FORMULA_STARTS = "=+-@\t\r"
"""Characters with which a spreadsheet begins a formula; it passes over the last two."""
COLUMNS = ("id", "text", "annotator", "label")
_START = 300
"""Rows with which a product can start: a tenth of them chooses the model, a fifth tests it."""
_SPARE = 2
"""Labels are uneven, so about twice as many rows are labelled as each label needs."""


def labels_wanted(labels: int, limits: ValidateParams) -> int:
    """How many rows should have a label before a model is trained, as far as is known without one."""
    return max(_START, _SPARE * labels * limits.min_rows_per_label)


def write_sheet(path: Path, rows: Iterable[Record], *, most: int) -> None:
    """Writes rows to label as CSV: their ids and texts, and empty columns for who and which label.

    With a byte order mark, by which spreadsheets read it as UTF-8. An id that a spreadsheet would take for
    a number (`12e5`) is left out, and a text that it would take for a formula begins with an apostrophe. The
    sources' own ids are the last column, where rows have any; nobody reads that column back.

    Args:
        rows: by id, which is a hash, so that the first of them are a random choice.
        most: how many of them.
    """
    stream = io.StringIO(newline="")
    chosen = [*islice((row for row in rows if keeps_its_id(row.id)), most)]
    lines = ((row.id, as_cell(row.text), "", "") for row in chosen)
    own = [row.source_id for row in chosen]
    csv.writer(stream).writerows(with_source_ids(COLUMNS, lines, own))
    write_text(path, "\ufeff" + stream.getvalue())


def with_source_ids(
    head: Sequence[str], lines: Iterable[Sequence[Any]], own: Sequence[str | None]
) -> Iterator[Sequence[Any]]:
    """The head and the lines of a sheet, with a last column for the sources' own ids where a row has one.

    Args:
        own: the own id of each line; None where the row's source has none.
    """
    if not any(own):
        yield from [head, *lines]
        return
    yield (*head, SOURCE_ID)
    for line, each in zip(lines, own, strict=True):
        yield (*line, as_cell(each) if each else "")


def keeps_its_id(identifier: str) -> bool:
    """Whether a spreadsheet leaves an id as it is, and does not take it for a number."""
    return not _LIKE_A_NUMBER.fullmatch(identifier)


def as_cell(text: str) -> str:
    """The text as a cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[0] in FORMULA_STARTS else text


def labels_needed(
    counts: Mapping[str, int], *, labelled: int, unlabelled: int, limits: ValidateParams, sheet: str
) -> LabelsNeededError:
    """The end of a build whose rows have too few labels.

    Args:
        counts: label → rows that have it.
        labelled: rows that have a label.
        unlabelled: rows that have none.
        sheet: name of the file with rows to label.
    """
    wanted = labels_wanted(len(counts), limits)
    shown = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
    more = min(unlabelled, max(wanted - labelled, limits.min_rows_per_label))
    return LabelsNeededError(
        f"{labelled:,} of {labelled + unlabelled:,} rows have a label ({shown})"
        if labelled
        else f"none of {unlabelled:,} rows has a label",
        expected=f"about {wanted:,} for a start, at least {limits.min_rows_per_label:,} of each label"
        " (validate.min_rows_per_label); then `baseline` says how many more your min_quality asks for",
        next_step=f"annotate: about {more:,} labels. `make annotate` opens a page for that, and `modelyard labels`"
        f" then hands them in; or fill in `annotator` and `label` in {sheet} and save it as CSV in annotations/."
        " Then run the same command again",
    )
