"""Finds what a person's events amount to: the last answer to each row, with what was taken back left out."""

import heapq
from collections.abc import Iterator

from pipeline.annotation.events import Kept, Kind

_ANSWERS: tuple[Kind, ...] = ("vote", "skip", "adjudicate")


class Answers:
    """One person's answers, as of the last event that was taken."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Kept]] = {}
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

    def has_label(self, row: str) -> bool:
        """Whether the last answer to the row is a label or a number, and no skip."""
        last = self.last(row)
        return last is not None and last.event.event != "skip"

    def standing(self, most: int, *, before: int | None = None) -> list[Kept]:
        """Answers that were not taken back, earlier ones to the same row included, the newest first.

        Args:
            before: only those with a smaller number.
        """
        given = (kept for answers in self._answers.values() for kept in answers)
        older = given if before is None else (kept for kept in given if kept.seq < before)
        return heapq.nlargest(most, older, key=lambda kept: kept.seq)

    def latest(self) -> list[Kept]:
        """The last answer to each row, the one given last first."""
        found = [answers[-1] for answers in self._answers.values()]
        return sorted(found, key=lambda kept: kept.seq, reverse=True)

    def _list(self, kept: Kept) -> list[Kept]:
        event = kept.event
        if event.event in _ANSWERS:
            return self._answers.setdefault(event.row, [])
        return self._notes.setdefault((event.row, event.event), [])

    def _drop(self, kept: Kept) -> None:
        kept_list = self._list(kept)
        kept_list.remove(kept)
        if not kept_list:
            event = kept.event
            self._answers.pop(event.row, None) if event.event in _ANSWERS else self._notes.pop(
                (event.row, event.event), None
            )
