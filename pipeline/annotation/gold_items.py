"""Reads the gold items: rows whose answer the lead has given, on which people learn the rules before they label.

    annotations/gold.yaml
    - id: 0a35c1d27c9cc4ab
      label: complaint          # several labels: labels: [a, b]; a number: number: 3.5, within: 0.5
      why: "It asks for nothing, and something went wrong."

What people answer here is kept as events, and never published as a vote.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.events import Event
from pipeline.annotation.people import Person
from pipeline.core.errors import DataError
from pipeline.core.typed_json import MismatchError, read_as

GOLD_FILE = "gold.yaml"
"""Name of the file in `annotations/`."""
ITEMS = 10
"""How many gold items a person answers."""
RIGHT = 0.8
"""Share of them that must be right before the queue opens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldItem:
    """A row with its right answer.

    Attributes:
        id: of the row.
        label: the right label; empty where `labels` or `number` has the answer.
        labels: the right labels, in a product of several.
        number: the right number, in a regression.
        within: how far from `number` an answer may be.
        why: the reason, which is shown after the answer.
    """

    id: str
    label: str = ""
    labels: tuple[str, ...] = ()
    number: float | None = None
    within: float = 0.0
    why: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """The right labels."""
        return (self.label,) if self.label else self.labels

    def is_right(self, event: Event) -> bool:
        """Whether an answer is the right one."""
        if self.number is not None:
            answer = math.nan if event.number is None else event.number
            return abs(answer - self.number) <= self.within + 1e-9
        return {*event.labels} == {*self.given}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a person has come with the gold items.

    Attributes:
        items: those that the person is asked, in their order.
        answers: id → the last answer.
        right: how many last answers are right.
        right_at_first: how many first answers were.
        needed: how many must be right.
    """

    items: tuple[GoldItem, ...]
    answers: dict[str, Event]
    right: int
    right_at_first: int
    needed: int

    @property
    def passed(self) -> bool:
        """Whether the queue is open."""
        return self.right >= self.needed

    def as_json(self) -> dict[str, Any]:
        """The counts."""
        return {
            "items": len(self.items),
            "answered": len(self.answers),
            "right": self.right,
            "right_at_first": self.right_at_first,
            "needed": self.needed,
            "passed": self.passed,
        }


def read_gold(path: Path, assignment: Assignment) -> tuple[GoldItem, ...]:
    """The gold items of a file; none where there is none.

    Raises:
        DataError: the file is no list of items, or an answer is none that the product has.
    """
    if not path.exists():
        return ()
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        items = tuple(read_as(GoldItem, _as_read(entry)) for entry in entries)
    except (OSError, ValueError, TypeError, yaml.YAMLError, MismatchError) as error:
        raise _no_gold(f"{path.name}: {error}") from error
    for number, item in enumerate(items, start=1):
        event = Event(uid="gold", event="gold", row=item.id, labels=item.given, number=item.number)
        if refused := assignment.refusal(event, Person(name="gold", published="gold")):
            raise _no_gold(f"{path.name}, item {number}: {refused.got}", refused.expected)
    if len({item.id for item in items}) < len(items):
        raise _no_gold(f"{path.name}: a row twice", "each row once")
    return items


def items_for(person: str, items: Iterable[GoldItem]) -> tuple[GoldItem, ...]:
    """The items that a person is asked: ten at most, other ones and in another order for each person."""
    return tuple(sorted(items, key=lambda item: _mixed(person, item.id)))[:ITEMS]


def standing_of(items: Sequence[GoldItem], answers: Sequence[Event]) -> Standing:
    """How far a person has come.

    Args:
        items: those that the person is asked.
        answers: the person's answers to gold items, in their order.
    """
    last: dict[str, Event] = {}
    first: dict[str, Event] = {}
    asked = {item.id for item in items}
    for event in answers:
        if event.row in asked:
            last[event.row] = event
            first.setdefault(event.row, event)
    return Standing(
        items=tuple(items),
        answers=last,
        right=sum(item.is_right(last[item.id]) for item in items if item.id in last),
        right_at_first=sum(item.is_right(first[item.id]) for item in items if item.id in first),
        needed=math.ceil(RIGHT * len(items)),
    )


def _as_read(entry: Any) -> Any:
    """An entry with an id of digits alone as the text that it was; YAML takes it for a number."""
    if isinstance(entry, dict) and isinstance(entry.get("id"), int):
        return entry | {"id": f"{entry['id']:016d}"}
    return entry


def _mixed(person: str, row: str) -> str:
    return hashlib.sha256(f"{person} {row}".encode()).hexdigest()


def _no_gold(got: str, expected: str = "") -> DataError:
    return DataError(
        got,
        expected=expected or "a list of items, each with id, label (or labels, or number) and why",
        next_step="correct annotations/gold.yaml, or remove it to let people begin without it",
    )
