"""Finds what a person's events amount to: the last answer to each row, with what was taken back left out."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.annotation.events import Event, Kept, Kind

_ANSWERS: tuple[Kind, ...] = ("vote", "skip")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A person's answers and notes as they stood at one moment.

    Attributes:
        answers: the last vote or skip on each row, in the order in which the rows were first answered.
        decisions: the last adjudication of each row.
        flagged: rows that the person has flagged.
        comments: row → what the person wrote about it.
    """

    answers: list[Kept]
    decisions: list[Kept]
    flagged: set[str]
    comments: dict[str, str]


class Answers:
    """One person's answers, as of the last event that was taken."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Kept]] = {}
        self._decisions: dict[str, list[Kept]] = {}
        self._notes: dict[tuple[str, str], list[Kept]] = {}
        self._by_uid: dict[str, Kept] = {}

    def take(self, kept: Kept) -> None:
        """Takes the next event, in the order of the log. An undo of an unknown event changes nothing."""
        event = kept.event
        if event.event == "undo":
            before = self._by_uid.pop(event.undoes or "", None)
            if before is not None:
                self._drop(before)
            return
        self._by_uid[event.uid] = kept
        self._list(kept).append(kept)

    def row_of(self, kept: Kept) -> str:
        """The row that an event changes, before it is taken: of an undo, that of the event it takes back."""
        undone = self._by_uid.get(kept.event.undoes or "")
        return kept.event.row if undone is None else undone.event.row

    def __contains__(self, row: str) -> bool:
        return row in self._answers

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[str]:
        """The rows with an answer, in the order in which they were first answered."""
        return iter(self._answers)

    def last(self, row: str) -> Kept | None:
        """The last answer to a row; None where there is none, or all were taken back."""
        answers = self._answers.get(row)
        return answers[-1] if answers else None

    def comment(self, row: str) -> str:
        """The last comment on a row; empty where there is none."""
        notes = self._notes.get((row, "comment"))
        return (notes[-1].event.comment or "") if notes else ""

    def flag(self, row: str) -> str | None:
        """The uid of the event that flagged the row; None where it is not flagged."""
        flags = self._notes.get((row, "flag"))
        return flags[-1].event.uid if flags else None

    def gold(self) -> list[Event]:
        """The answers to gold items, in their order."""
        notes = self._notes.items()
        given = [kept for (_, kind), found in notes if kind == "gold" for kept in found]
        return [kept.event for kept in sorted(given, key=lambda kept: kept.seq)]

    def decision(self, row: str) -> Kept | None:
        """The last adjudication of a row; None where there is none, or all were taken back."""
        decisions = self._decisions.get(row)
        return decisions[-1] if decisions else None

    def decided(self) -> Iterator[str]:
        """The rows that the person has adjudicated."""
        return iter(self._decisions)

    def decisions(self, most: int, *, before: int | None = None) -> list[Kept]:
        """Adjudications that were not taken back, the newest first; see `standing`."""
        return _newest(self._decisions, most, before=before)

    def every_decision(self) -> list[Kept]:
        """The last adjudication of each row, by row."""
        return [self._decisions[row][-1] for row in sorted(self._decisions)]

    def asked_again(self, row: str) -> Kept | None:
        """The event with which the person asked for another opinion on the row; None where there is none."""
        asked = self._notes.get((row, "queue"))
        return asked[-1] if asked else None

    def rows_asked_again(self) -> list[str]:
        """The rows on which the person asked for another opinion."""
        return [row for row, kind in self._notes if kind == "queue"]

    def has_label(self, row: str) -> bool:
        """Whether the last answer to the row is a label or a number, and no skip."""
        last = self.last(row)
        return last is not None and last.event.event != "skip"

    def standing(self, most: int, *, before: int | None = None) -> list[Kept]:
        """Answers that were not taken back, earlier ones to the same row included, the newest first.

        Args:
            before: only those with a smaller number.
        """
        return _newest(self._answers, most, before=before)

    def latest(self) -> list[Kept]:
        """The last answer to each row, the one given last first."""
        found = [answers[-1] for answers in self._answers.values()]
        return sorted(found, key=lambda kept: kept.seq, reverse=True)

    def copied(self) -> Standing:
        """The answers and notes as they stand, in a copy that later events leave as it is."""
        notes = self._notes.items()
        said = {row: kept[-1].event.comment for (row, kind), kept in notes if kind == "comment"}
        return Standing(
            answers=[given[-1] for given in self._answers.values()],
            decisions=self.every_decision(),
            flagged={row for (row, kind), _ in notes if kind == "flag"},
            comments={row: text for row, text in said.items() if text},
        )

    def _list(self, kept: Kept) -> list[Kept]:
        event = kept.event
        if event.event in _ANSWERS:
            return self._answers.setdefault(event.row, [])
        if event.event == "adjudicate":
            return self._decisions.setdefault(event.row, [])
        return self._notes.setdefault((event.row, event.event), [])

    def _drop(self, kept: Kept) -> None:
        kept_list = self._list(kept)
        kept_list.remove(kept)
        if kept_list:
            return
        event = kept.event
        if event.event in _ANSWERS:
            del self._answers[event.row]
        elif event.event == "adjudicate":
            del self._decisions[event.row]
        else:
            del self._notes[event.row, event.event]


def _newest(given: Mapping[str, list[Kept]], most: int, *, before: int | None = None) -> list[Kept]:
    every = (kept for of_row in given.values() for kept in of_row)
    older = every if before is None else (kept for kept in every if kept.seq < before)
    return heapq.nlargest(most, older, key=lambda kept: kept.seq)
