"""Tasks and answers as other annotation tools have them, and what their readers and writers share.

Each tool has a file of its own beside this one, with a function that writes and one that reads; label_formats.py
lists them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow
from pipeline.core.errors import DataError
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.row_ids import is_id
from pipeline.problem.labelling import Labelling
from pipeline.problem.problem import Problem

ROW_ID = "row_id"
"""Key under which files for other tools hold the id of a row; the tools' own ids are under `id`."""
NOTES = ("comment", "time", "seconds", "arm", "why", "guide")
"""Fields of a vote that a format holds under their own names, where it takes any key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The question that people answer for each row.

    Attributes:
        labels: of the product; for a regression, the name of the number.
        pairs: whether a row has two texts.
    """

    problem: Problem
    labels: Sequence[str]
    pairs: bool

    @property
    def is_number(self) -> bool:
        """Whether the answer is a number."""
        return not self.problem.has_probabilities


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredRow:
    """A row with the answers to it; without any where people have yet to give one."""

    row: LabellingRow
    votes: tuple[PublishedVote, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignVote:
    """An answer as another tool's file has it.

    Attributes:
        where: file and line or task, for messages.
        ids: what may be the id of the row.
        texts: of the row, as the file has them.
        annotator: empty where the file does not say who.
        values: names of the labels, or a number as text; none of them is "no label holds"; None where no
            answer was given.
        skipped: whether the person saw the row and gave no label.
        notes: fields of the vote, as in NOTES.
    """

    where: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    annotator: str = ""
    values: tuple[str, ...] | None = None
    skipped: bool = False
    notes: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The first that is an id as rows of the data have; empty where none is."""
        return next((name for name in self.ids if is_id(name)), "")


class Writer(Protocol):
    """Writes rows with their answers into a file; `path` may be a temporary one."""

    def __call__(self, path: Path, rows: Iterable[AnsweredRow], question: Question) -> None: ...


class Reader(Protocol):
    """Reads the answers in a file; `DataError` where it is not of the format."""

    def __call__(self, path: Path, question: Question) -> Iterator[ForeignVote]: ...


def answer_of(vote: ForeignVote, question: Question) -> tuple[tuple[str, ...], float | None]:
    """The labels and the number that the values of a vote stand for.

    Raises:
        DataError: they are no labels of the product, several where there is one, or no number.
    """
    values, problem = vote.values or (), question.problem
    if not problem.many_labels and len(values) != 1:
        raise DataError(
            f"{vote.where}: {len(values)} labels in one answer ({', '.join(values)})",
            expected=f"one, for product.problem is {problem.name}",
            next_step="keep one of them in the file, or set product.problem: multi_label",
        )
    cell = json.dumps(values, ensure_ascii=False) if problem.many_labels else values[0]
    with refusals_are_data_errors():
        stored = problem.read_label(cell, Labelling(question.labels), where=vote.where)
    return stored_answer(stored, question)


def stored_answer(label: str, question: Question) -> tuple[tuple[str, ...], float | None]:
    """The labels and the number that a label stands for, as our tables hold it."""
    if question.is_number:
        return (), float(label)
    return tuple(question.problem.labels_in(label, question.labels)), None


def values_of(vote: PublishedVote) -> list[str]:
    """The labels of a vote, or its number as text."""
    return [*vote.labels] if vote.number is None else [repr(vote.number)]


def notes_of(vote: PublishedVote) -> dict[str, Any]:
    """The fields of a vote that are in NOTES and not empty."""
    found = {name: getattr(vote, name) for name in NOTES}
    return {name: value for name, value in found.items() if value is not None}


def notes_in(row: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The fields of NOTES that a row of a file has under their own names.

    Raises:
        DataError: `seconds` is no number.
    """
    notes = {name: row[name] for name in NOTES if row.get(name) not in (None, "")}
    if "seconds" in notes:
        notes["seconds"] = seconds_in(notes["seconds"], where=where)
    return {name: value if name == "seconds" else str(value) for name, value in notes.items()}


def seconds_in(value: object, *, where: str) -> float:
    """A duration in seconds; `DataError` where it is no number."""
    try:
        return float(str(value))
    except ValueError:
        raise DataError(
            f"{where}: {value!r} as seconds",
            expected="a number of seconds",
            next_step="correct it, or take it out",
        ) from None


def ids_in(*values: object) -> tuple[str, ...]:
    """The values that can be ids of rows, as text."""
    return tuple(str(value) for value in values if isinstance(value, str | int))


def whole_text(row: LabellingRow) -> str:
    """The texts of a row as one, for tools that show a single one."""
    return row.text if row.second is None else f"{row.text}\n\n{row.second}"
