"""Looks at a file of labels that people gave, which belongs into `annotations/` and is no source of texts."""

import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.annotations import VOTE_COLUMNS, read_votes, votes_of
from pipeline.data.columns import describe, is_named_like_texts, says_nothing
from pipeline.data.label_doubts import doubts
from pipeline.data.label_forms import likely_form
from pipeline.data.layout import Layout
from pipeline.data.records import ID_DIGITS
from pipeline.data.wanted_columns import in_one_form
from pipeline.problem.problems import problem_named

_ID = re.compile(f"[0-9a-f]{{{ID_DIGITS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteFacts:
    """The facts of a file of votes.

    Attributes:
        rows: its lines.
        labels: label → lines that have it.
        votes: lines with a label.
        notes: sentences on them.
    """

    rows: int
    votes: int
    labels: Mapping[str, int]
    notes: tuple[str, ...]


def holds_votes(names: Sequence[str]) -> bool:
    """Whether a file with these columns has ids, annotators and labels, and no texts."""
    return {*VOTE_COLUMNS} <= {*map(in_one_form, names)} and not any(
        map(is_named_like_texts, names)
    )


def check_votes(file: Path, layout: Layout) -> VoteFacts:
    """The facts of the file, read as the stage `label` reads it.

    Which ids the data have is not known here: one of sixteen digits is taken for what it is.

    Raises:
        DataError: a spreadsheet made a number of an id, a time is not ISO 8601, an id or an
            annotator is missing.
    """
    rows = [*read_votes(file, layout=layout)]
    [column] = describe(["label"], rows)
    note = (
        "labels that people gave to rows: put the file into annotations/; it is no source of texts"
    )
    if not column.values:
        return VoteFacts(rows=len(rows), votes=0, labels={}, notes=(note, "no label yet"))
    form = likely_form(column)
    ids = {row["id"].strip() for _, row in rows}
    known = {name for name in ids if name.isdigit() and len(name) == ID_DIGITS}
    with redirect_stdout(io.StringIO()):  # the stage tells how many lines have no label
        votes = [*votes_of(file, problem_named(form.problem), form.labelling, known)]
    people = len({vote.annotator for vote in votes})
    said = (
        f"{len(votes):,} labels of {people:,} {'person' if people == 1 else 'people'} on"
        f" {len({vote.row for vote in votes}):,} rows"
    )
    unlabelled = sum(says_nothing(row["label"]) for _, row in rows)
    more = (f"{unlabelled:,} lines have no label yet",) if unlabelled else ()
    notes = [note, said, *more, *_odd_ids({vote.row for vote in votes}), *doubts(form.counts)]
    labels = {label: form.counts[label] for label in form.labels}
    return VoteFacts(rows=len(rows), votes=len(votes), labels=labels, notes=(*notes,))


def _odd_ids(ids: Collection[str]) -> Iterator[str]:
    """How many ids cannot be those of rows."""
    if odd := sum(_ID.fullmatch(name) is None for name in ids):
        yield (
            f"{odd:,} of {len(ids):,} ids are not {ID_DIGITS} hex digits, as those of rows in"
            " artifacts/validate/records.parquet are"
        )
