"""Rows of the data and votes on them, drawn at random but the same each time, for tests of published votes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from pipeline.annotation.foreign_votes import Question
from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow, RowFile, row_file
from pipeline.core.artifacts.table_columns import ValidatedCorpus, ValidatedRecords
from pipeline.core.cleaning import clean
from pipeline.core.paths import Paths
from pipeline.data.records import record_id, record_schema
from pipeline.data.tables import write_table
from pipeline.problem.problems import problem_named
from tests.support.odd_texts import odd_texts

_ODD = ("매우 좋음", "C#", "a#b", 'so "so"', "[x]", "a,b;c", "<b>&amp;", "naïve", "=1", "null")
PEOPLE = ("p1", "p2", "민아", "kim@example.org", 'O"Neil, A')
QUESTIONS = {
    "classification": Question(
        problem=problem_named("classification"), labels=[*_ODD, "x|y"], pairs=False
    ),
    "pairs": Question(problem=problem_named("classification"), labels=["yes", "no"], pairs=True),
    "multi_label": Question(problem=problem_named("multi_label"), labels=[*_ODD], pairs=False),
    "regression": Question(problem=problem_named("regression"), labels=["stars"], pairs=False),
}
"""Kind of product → its question."""
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class VotedProject:
    """A folder with validate's tables.

    Attributes:
        rows: those of the tables.
    """

    root: Path
    question: Question
    rows: Sequence[LabellingRow]

    @cached_property
    def row_file(self) -> RowFile:
        """The rows as the annotation server has them."""
        return RowFile(row_file(Paths(self.root), self.root / ".modelyard" / "annotation"))


def make_project(root: Path, question: Question, *, texts: Sequence[str] = ()) -> VotedProject:
    """Writes validate's tables: rows that have a label, and others that have none."""
    found = dict.fromkeys(texts or (_whole(text) for text in odd_texts(80)))
    cleaned = [*filter(None, dict.fromkeys(map(clean, found)))]
    rows = [_row(text, cleaned[-number], question) for number, text in enumerate(cleaned)]
    rows = sorted(rows, key=lambda row: row.id)
    middle = 0 if texts else len(rows) // 2
    middle = len(rows) if question.pairs else middle
    for kind, part in ((ValidatedRecords, rows[:middle]), (ValidatedCorpus, rows[middle:])):
        schema = record_schema(kind.columns())
        columns = {
            "id": [row.id for row in part],
            "source": [row.source for row in part],
            "text": [row.text for row in part],
            "second": [row.second for row in part],
            "label": ["1" if question.labels == ["stars"] else question.labels[0]] * len(part),
            "cluster": [row.id for row in part],
        }
        path = root / "artifacts" / kind.FILE
        if kind is ValidatedCorpus:
            columns["label"] = [None] * len(part)
        write_table(path, columns, schema=schema)
    return VotedProject(root=root, question=question, rows=rows)


def drawn_votes(project: VotedProject, chance: random.Random) -> list[PublishedVote]:
    """Some votes and skips, at most one of a person on a row, by row and person."""
    found = {}
    for _ in range(chance.randrange(1, 9)):
        row, person = chance.choice(project.rows), chance.choice(PEOPLE)
        found[row.id, person] = _drawn(row, person, project.question, chance)
    return [found[place] for place in sorted(found)]


def _drawn(
    row: LabellingRow, person: str, question: Question, chance: random.Random
) -> PublishedVote:
    skipped = chance.random() < 0.2
    labels: tuple[str, ...] = ()
    number = None
    if not skipped and question.labels == ["stars"]:
        number = chance.choice([0.0, 4.5, -3.0, 1e-07, 1e22, 12345678901.5, chance.random()])
    elif not skipped and question.problem.many_labels:
        size = chance.randrange(4)
        labels = tuple(name for name in question.labels if name in chance.sample(_ODD, size))
    elif not skipped:
        labels = (chance.choice(question.labels),)
    said = chance.choice(
        [None, "!", "왜?\n둘째 줄", 'a "quoted", one', "# = + -", "\u2028x\u3000y"]
    )
    time = _START + timedelta(milliseconds=chance.randrange(10**10))
    written = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return PublishedVote(
        id=row.id,
        annotator=person,
        labels=labels,
        number=number,
        skipped=skipped,
        comment=said,
        time=chance.choice([None, written]),
        seconds=chance.choice([None, 0.0, 4.125, 1 / 3]),
        arm=chance.choice([None, "hidden", "shown"]),
        why=chance.choice([None, "random", "suspect"]),
        guide=chance.choice([None, "ab12"]),
        text_sha=row.text_sha,
    )


def _row(text: str, other: str, question: Question) -> LabellingRow:
    second = other if question.pairs else None
    name = record_id("odd", text, second=second)
    return LabellingRow(id=name, source="odd", text=text, second=second, label=None)


def _whole(text: str) -> str:
    """The text without halves of characters, which no table can hold."""
    return text.encode("utf-8", errors="ignore").decode()
