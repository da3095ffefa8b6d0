"""Holds what all people answered at one moment, by row, for the board: which rows are disputed, flagged, labelled by two."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.events import Kept
from pipeline.annotation.people import People, Person
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.standing_answers import Standing
from pipeline.data.row_ids import numbers_of

Kind = Literal[
    "labelled", "double", "disputed", "adjudicated", "skipped", "flagged", "commented", "all"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredRow:
    """The answers of all people to one row.

    Attributes:
        votes: published name → the last vote.
        stored: published name → that vote in the form that tables use.
        skips: people who skipped the row.
        decision: the last adjudication.
        flags: people who flagged it.
        comments: published name → what the person wrote.
    """

    votes: Mapping[str, Kept]
    stored: Mapping[str, str]
    skips: Sequence[str]
    decision: Kept | None
    flags: Sequence[str]
    comments: Mapping[str, str]

    def is_a(self, kind: Kind) -> bool:
        """Whether the row is of a kind."""
        return _KINDS[kind](self)


_KINDS: Mapping[Kind, Callable[[AnsweredRow], bool]] = {
    "labelled": lambda row: bool(row.votes),
    "double": lambda row: len(row.votes) > 1,
    "disputed": lambda row: row.decision is None and differ(row.stored),
    "adjudicated": lambda row: row.decision is not None,
    "skipped": lambda row: bool(row.skips),
    "flagged": lambda row: bool(row.flags),
    "commented": lambda row: bool(row.comments),
    "all": lambda row: True,
}


@dataclass(frozen=True, kw_only=True)
class RowFilter:
    """Which rows are wanted; what is None or `all` leaves none out.

    Attributes:
        person: voted on the row; together with `label`, gave that label.
        other: another person who voted on it; together with `other_label`, gave that one.
        apart: whether `person` differs there from somebody, or from `other` where that is given.
        label: somebody gave it.
        other_label: somebody else gave it.
        guide: hash of a guide under which somebody voted.
        why: why the queue had it, when somebody voted.
    """

    kind: Kind = "all"
    person: str | None = None
    other: str | None = None
    apart: bool = False
    label: str | None = None
    other_label: str | None = None
    guide: str | None = None
    why: str | None = None

    def takes(self, row: AnsweredRow) -> bool:
        """Whether a row is wanted."""
        return row.is_a(self.kind) and (not self._asks_of_votes or self._has_votes(row))

    @property
    def _asks_of_votes(self) -> bool:
        asked = (self.person, self.other, self.label, self.other_label, self.guide, self.why)
        return any(each is not None for each in asked)

    def _has_votes(self, row: AnsweredRow) -> bool:
        """Whether a vote is as asked and, where a second one is asked for, another fits that."""
        return any(
            self._is_asked(name, kept) and self._fits_another(row, name)
            for name, kept in row.votes.items()
        )

    def _is_asked(self, name: str, kept: Kept) -> bool:
        event = kept.event
        return (
            name == (self.person or name)
            and self._gave(kept, self.label)
            and self.guide in (None, event.guide or "")
            and self.why in (None, event.why or "")
        )

    def _fits_another(self, row: AnsweredRow, name: str) -> bool:
        if self.other is None and self.other_label is None and not self.apart:
            return True
        return any(
            other != name
            and other == (self.other or other)
            and self._gave(kept, self.other_label)
            and (not self.apart or row.stored[other] != row.stored[name])
            for other, kept in row.votes.items()
        )

    @staticmethod
    def _gave(kept: Kept, label: str | None) -> bool:
        return label is None or label in kept.event.labels


@dataclass(frozen=True, kw_only=True)
class BoardVotes:
    """The answers of all people to rows of the data; each mapping is by id of the row.

    Attributes:
        votes: published name → the last vote.
        stored: published name → that vote in the form that tables use.
        skips: people who skipped the row.
        decisions: the last adjudication.
        flags: people who flagged the row.
        comments: published name → what the person wrote.
        left_out: votes that do not count, since their row is not in the data or their label is not the product's.
    """

    votes: Mapping[str, Mapping[str, Kept]]
    stored: Mapping[str, Mapping[str, str]]
    skips: Mapping[str, Sequence[str]]
    decisions: Mapping[str, Kept]
    flags: Mapping[str, Sequence[str]]
    comments: Mapping[str, Mapping[str, str]]
    left_out: int

    @classmethod
    def of(
        cls,
        standing: Mapping[str, Standing],
        *,
        people: People,
        assignment: Assignment,
        rows: RowFile,
    ) -> Self:
        """The answers of people, by published name.

        Args:
            rows: those of the data.
        """
        gathered = _Gathered(assignment, _known(standing, rows))
        for person in people:
            if person.published in standing:
                gathered.add(person, standing[person.published])
        return cls(**gathered.mappings(), left_out=gathered.left_out)

    def kept_votes(self) -> list[Kept]:
        """All votes, by row."""
        return [kept for given in self.votes.values() for kept in given.values()]

    def counts(self) -> dict[str, int]:
        """How many rows are of each kind."""
        double = [(row, given) for row, given in self.stored.items() if len(given) > 1]
        open_ = (given for row, given in double if row not in self.decisions)
        return {
            "labelled": len(self.votes),
            "double": len(double),
            "disputed": sum(map(differ, open_)),
            "adjudicated": len(self.decisions),
            "skipped": len(self.skips),
            "flagged": len(self.flags),
            "commented": len(self.comments),
        }

    def row(self, row: str) -> AnsweredRow:
        """The answers to one row."""
        return AnsweredRow(
            votes=self.votes.get(row, {}),
            stored=self.stored.get(row, {}),
            skips=self.skips.get(row, ()),
            decision=self.decisions.get(row),
            flags=self.flags.get(row, ()),
            comments=self.comments.get(row, {}),
        )

    def found(self, wanted: RowFilter) -> list[str]:
        """The rows that are wanted, by id."""
        every = {*self.votes, *self.skips, *self.decisions, *self.flags, *self.comments}
        return sorted(row for row in every if wanted.takes(self.row(row)))


def differ(stored: Mapping[str, str]) -> bool:
    """Whether the votes on a row, by person and in the form that tables use, are not all the same."""
    return len({*stored.values()}) > 1


class _Gathered:
    """The answers of the people that were added so far."""

    def __init__(self, assignment: Assignment, known: set[str]) -> None:
        self.left_out = 0
        self._assignment, self._known = assignment, known
        self._votes: dict[str, dict[str, Kept]] = {}
        self._stored: dict[str, dict[str, str]] = {}
        self._skips: dict[str, list[str]] = {}
        self._decisions: dict[str, Kept] = {}
        self._flags: dict[str, list[str]] = {}
        self._comments: dict[str, dict[str, str]] = {}
        self._forms: dict[tuple[Sequence[str], float | None], str | None] = {}

    def mappings(self) -> dict[str, Any]:
        """The fields of `BoardVotes`, by name."""
        names = ("votes", "stored", "skips", "decisions", "flags", "comments")
        return {name: getattr(self, f"_{name}") for name in names}

    def add(self, person: Person, given: Standing) -> None:
        name = person.published
        for kept in given.answers:
            row = kept.event.row
            if row not in self._known:
                self.left_out += kept.event.event == "vote"
            elif kept.event.event == "skip":
                self._skips.setdefault(row, []).append(name)
            elif (stored := self._form(kept, person)) is None:
                self.left_out += 1
            else:
                self._votes.setdefault(row, {})[name] = kept
                self._stored.setdefault(row, {})[name] = stored
        self._add_notes(name, given)

    def _add_notes(self, name: str, given: Standing) -> None:
        for kept in given.decisions:
            row = kept.event.row
            before = self._decisions.get(row)
            if row in self._known and (before is None or before.time <= kept.time):
                self._decisions[row] = kept
        for row in given.flagged & self._known:
            self._flags.setdefault(row, []).append(name)
        for row, text in given.comments.items():
            if row in self._known:
                self._comments.setdefault(row, {})[name] = text

    def _form(self, kept: Kept, person: Person) -> str | None:
        """The vote in the form that tables use; None where it is no answer to the product's question."""
        answer = (kept.event.labels, kept.event.number)
        if answer not in self._forms:
            fits = self._assignment.refusal(kept.event, person) is None
            self._forms[answer] = self._assignment.stored(*answer) if fits else None
        return self._forms[answer]


def _known(standing: Mapping[str, Standing], rows: RowFile) -> set[str]:
    """The rows of the answers that the data have."""
    asked: set[str] = set()
    for given in standing.values():
        asked |= {kept.event.row for kept in (*given.answers, *given.decisions)}
        asked |= given.flagged | given.comments.keys()
    names = [*asked]
    numbers = numbers_of(names)
    inside = np.isin(numbers, rows.ids[rows.places(numbers)])
    return {names[place] for place in np.flatnonzero(inside).tolist()}
