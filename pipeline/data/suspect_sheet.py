"""Writes the rows whose label is probably wrong as a sheet that people fill in and put into annotations/."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.files import write_text
from pipeline.data.annotation_sheet import COLUMNS, as_cell, keeps_its_id, with_source_ids

HEAD = ("rank", *COLUMNS, "label_now", "suggested", "confidence")


@dataclass(frozen=True, kw_only=True)
class SuspectRow:
    """One row of the sheet.

    Attributes:
        label: the label that the row has.
        suggested: the label that models of other rows find.
        confidence: how likely they find it, 0 to 1.
        source_id: the row's id in its source; None where the source has none.
    """

    id: str
    text: str
    second: str | None
    label: str
    suggested: str
    confidence: float
    source_id: str | None = None


def write_suspects(path: Path, rows: Sequence[SuspectRow]) -> None:
    """Writes the rows as CSV, in their order; `annotator` and `label` are empty, for people to fill in.

    A line that stays empty changes nothing. As in the sheet of rows to label, an id that a spreadsheet would
    take for a number is left out, and a text that it would take for a formula begins with an apostrophe. The
    sources' own ids are the last column, where rows have any.
    """
    stream = io.StringIO(newline="")
    shown = [row for row in rows if keeps_its_id(row.id)]
    lines = (
        (rank, row.id, _text(row), "", "", row.label, row.suggested, f"{row.confidence:.3f}")
        for rank, row in enumerate(shown, start=1)
    )
    own = [row.source_id for row in shown]
    csv.writer(stream).writerows(with_source_ids(HEAD, lines, own))
    write_text(path, "\ufeff" + stream.getvalue())


def _text(row: SuspectRow) -> str:
    return as_cell(row.text if row.second is None else f"{row.text}\n{row.second}")
