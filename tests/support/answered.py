"""Answers of people as a store gives them to the board, made without a server."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.board_votes import BoardVotes
from pipeline.annotation.events import Kept, read_event
from pipeline.annotation.people import Person
from pipeline.annotation.row_file import RowFile, write_rows
from pipeline.annotation.standing_answers import Answers
from pipeline.core.artifacts.table_columns import ValidatedCorpus
from tests.support.labelling import LABELS, PRODUCT, make_project

ASKED = Assignment(product=PRODUCT, problem="classification", labels=LABELS)
_START = 9


def row_file(root: Path, count: int = 40) -> RowFile:
    """Rows `row_id(0)` to `row_id(count - 1)`."""
    make_project(root, [f"text {number}" for number in range(count)])
    write_rows(root / "rows.arrow", [root / "artifacts" / ValidatedCorpus.FILE])
    return RowFile(root / "rows.arrow")


def kept(number: int, person: str, event: Mapping[str, Any]) -> Kept:
    """An event as the log keeps it, a minute after the one before."""
    hour, minute = divmod(number, 60)
    time = f"2026-12-01T{_START + hour:02}:{minute:02}:00.000+00:00"
    return Kept(event=read_event(event), seq=number + 1, person=person, text_sha=None, time=time)


def answers(person: str, events: Iterable[Mapping[str, Any]]) -> Answers:
    """The answers of a person, in the order of the events."""
    found = Answers()
    for number, event in enumerate(events):
        found.take(kept(number, person, event))
    return found


def board_votes(
    rows: RowFile, events: Mapping[str, Iterable[Mapping[str, Any]]], asked: Assignment = ASKED
) -> BoardVotes:
    """Answers as the events of people, by published name, come to; p1 is the lead."""
    people = tuple(
        Person(name=f"name of {name}", published=name, role="lead" if name == "p1" else "annotator")
        for name in events
    )
    standing = {name: answers(name, given).copied() for name, given in events.items()}
    return BoardVotes.of(standing, people=people, assignment=asked, rows=rows)
