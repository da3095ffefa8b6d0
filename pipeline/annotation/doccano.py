"""doccano's JSON lines and its CSV: one line a row and person, the text and its labels.

doccano keeps every other key of a line with the row and exports it again, at the top of the line, so these say
who gave the answer and how. doccano itself has no skips: an empty list of labels is "none of them" where
`empty` says so, and a skip where it says that.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.annotation.foreign_votes import (
    NOTES,
    ROW_ID,
    AnsweredRow,
    ForeignVote,
    Question,
    ids_in,
    notes_in,
    notes_of,
    values_of,
    whole_text,
)
from pipeline.annotation.published_votes import PublishedVote
from pipeline.core.errors import DataError
from pipeline.data.json_file import as_written
from pipeline.data.layout import Layout
from pipeline.data.rows import read_rows

_BETWEEN = "#"
"""Between the labels of a cell, in the CSV that doccano exports."""
_EMPTY, _NONE, _SKIPPED = "empty", "none", "skipped"
_COLUMNS = (ROW_ID, "text", "label", "annotator", _EMPTY, *NOTES)
_OF_ALL = "all"
"""Name of the file that doccano exports where people label together; else each file has a person's name."""


def write_doccano(path: Path, rows: Iterable[AnsweredRow], question: Question) -> None:
    """Writes a line for each answer, and one for each row without any, as doccano imports them."""
    del question
    with path.open("w", encoding="utf-8", newline="") as stream:
        for line in _lines(rows):
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_doccano_csv(path: Path, rows: Iterable[AnsweredRow], question: Question) -> None:
    """Writes the same lines as CSV; several labels are joined by #, as doccano exports them."""
    del question
    with path.open("w", encoding="utf-8", newline="") as stream:
        sheet = csv.DictWriter(stream, _COLUMNS)
        sheet.writeheader()
        for line in _lines(rows):
            sheet.writerow(line | {"label": _BETWEEN.join(line["label"])})


def read_doccano(path: Path, question: Question) -> Iterator[ForeignVote]:
    """The answers in JSON lines, or in doccano's older JSON array.

    Raises:
        DataError: a line has no text, or labels that are none of a whole text.
    """
    for number, row in as_written(path, Layout()):
        where = f"{path.name}, line {number}"
        text = row.get("text", row.get("data"))
        labels = row.get("label", [])
        given = [] if labels is None else labels if isinstance(labels, list) else [labels]
        if not isinstance(text, str) or not all(
            isinstance(each, str | int | float) for each in given
        ):
            raise DataError(
                f"{where}: an object with {', '.join(row) or 'no keys'}",
                expected="a `text`, and in `label` a list of names, as doccano exports a text classification",
                next_step="export the project as JSONL; labels of parts of a text are none of a whole one",
            )
        names = [each if isinstance(each, str) else json.dumps(each) for each in given]
        own = row | {"text": text} | _comment_of(row)
        yield _vote(own, names, path, question, where=where)


def read_doccano_csv(path: Path, question: Question) -> Iterator[ForeignVote]:
    """The answers in a CSV with the columns `text` and `label`."""
    optional = [name for name in (*_COLUMNS, "id", "Comments") if name not in ("text", "label")]
    for number, row in read_rows(path, columns=["text", "label"], optional=optional):
        where = f"{path.name}, line {number}"
        names = _taken_apart(row["label"], question)
        yield _vote(row | _comment_of(row), names, path, question, where=where)


def _lines(rows: Iterable[AnsweredRow]) -> Iterator[dict[str, Any]]:
    for answered in rows:
        row = answered.row
        own = {ROW_ID: row.id, "text": whole_text(row), "label": []}
        if not answered.votes:
            yield own
        for vote in answered.votes:
            yield own | {"label": values_of(vote)} | _details(vote)


def _details(vote: PublishedVote) -> dict[str, Any]:
    details = {"annotator": vote.annotator, **notes_of(vote)}
    if not values_of(vote):
        details[_EMPTY] = _SKIPPED if vote.skipped else _NONE
    return details


def _vote(
    row: Mapping[str, Any], names: Sequence[str], path: Path, question: Question, *, where: str
) -> ForeignVote:
    empty = "" if names else str(row.get(_EMPTY) or "")
    is_none = empty == _NONE and question.problem.many_labels
    person = "" if path.stem == _OF_ALL else path.stem
    return ForeignVote(
        where=where,
        ids=ids_in(row.get(ROW_ID), row.get("id")),
        texts=(row["text"],),
        annotator=str(row.get("annotator") or person),
        values=(*names,) if names or is_none else None,
        skipped=empty == _SKIPPED,
        notes=notes_in(row, where=where),
    )


def _comment_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The comments that people wrote in doccano; nothing where the line has a comment of ours."""
    comments = row.get("Comments")
    if not comments or row.get("comment"):
        return {}
    listed = comments if isinstance(comments, list) else [comments]
    return {"comment": "\n".join(map(str, listed))}


def _taken_apart(cell: str, question: Question) -> list[str]:
    """The labels of a cell: itself where it is one of the product, else what the marks in it are between."""
    if not cell or cell in question.labels or not question.problem.many_labels:
        return [cell] if cell else []
    parts = cell.split(_BETWEEN)
    found: list[str] = []
    while parts:
        # A label may hold the mark, so the longest that is one of the product is taken.
        ends = range(len(parts), 0, -1)
        end = next((end for end in ends if _BETWEEN.join(parts[:end]) in question.labels), 1)
        found.append(_BETWEEN.join(parts[:end]))
        parts = parts[end:]
    return found
