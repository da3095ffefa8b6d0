"""The rows about which people's votes differ and nobody has decided yet, the dearest first.

What a vote, an undo or a decision changes is worked out for its own row alone, whatever else there is. A request for the
dearest disputes looks at each open one once.
"""

import hashlib
import heapq
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from string import ascii_uppercase

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.events import Kept
from pipeline.annotation.standing_answers import Answers
from pipeline.data.disputed_votes import closeness_of, disagreement, price, tolerance
from pipeline.problem.problems import problem_named

LEASE_SECONDS = 1800.0
"""For how long a dispute that one adjudicator was given is kept from the others."""

_REMEMBERED = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class BlindVote:
    """Somebody's vote on a row, which does not tell whose it is.

    Attributes:
        name: A, B, C, … in an order that differs from row to row.
        comment: what the person wrote on the row; empty where nothing.
        flagged: whether the person flagged the row.
    """

    name: str
    labels: tuple[str, ...]
    number: float | None
    comment: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class _Open:
    """A row whose votes differ and that is not decided.

    Attributes:
        apart: disagreement of the votes.
        price: see `pipeline.data.disputed_votes.price`.
    """

    apart: float
    price: float


class Disputes:
    """Disputed rows of a product; not safe for threads, the store guards it.

    Args:
        in_data: whether a row is in the data of today; what is not cannot be shown, and is no dispute.
        clock: seconds, for leases.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        in_data: Callable[[str], bool] = lambda row: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment, self._in_data = assignment, in_data
        self._problem = problem_named(assignment.problem)
        self._people: dict[str, Answers] = {}
        self._open: dict[str, _Open] = {}
        self._held: dict[str, tuple[str, float]] = {}
        self._numbers: Counter[str] = Counter()
        self._numbers_of: dict[str, list[str]] = {}
        # Few sets of votes differ, and a start works out every row with two or more.
        self._apart = lru_cache(_REMEMBERED)(
            partial(disagreement, problem=self._problem, labels=assignment.labels)
        )
        self._salt = secrets.token_bytes(16)
        self._clock = clock

    def join(self, person: str, answers: Answers) -> None:
        """Takes a person in, by published name; `restore` or `update` then read what the answers come to."""
        self._people[person] = answers

    def restore(self) -> None:
        """Works out all rows anew, from what the people's answers are."""
        seen: set[str] = set()
        several: set[str] = set()
        for answers in self._people.values():
            for row in answers:
                (several if row in seen else seen).add(row)
        for row in seen if not self._problem.has_probabilities else several:
            self.update(row)

    def update(self, row: str) -> None:
        """Works out a row anew: after a vote on it, a flag, a comment, a decision or an undo of these."""
        votes = self._votes(row)
        labels = [self._stored(kept) for _, kept in votes]
        if not self._problem.has_probabilities:
            self._numbers.subtract(self._numbers_of.pop(row, ()))
            self._numbers.update(labels)
            if labels:
                self._numbers_of[row] = labels
        apart = 0.0
        if len(votes) > 1 and self._in_data(row) and not self.is_decided(row):
            apart = self._apart(tuple(labels))
        if apart:
            self._open[row] = _Open(apart, self._price(row, apart, votes))
        else:
            self._open.pop(row, None)

    def is_decided(self, row: str) -> bool:
        """Whether anybody has adjudicated the row."""
        return any(answers.decision(row) for answers in self._people.values())

    def count(self) -> int:
        """How many disputes are open."""
        least = self._tolerance()
        return sum(one.apart > least for one in self._open.values())

    def dearest(self, person: str, most: int) -> list[str]:
        """The rows of up to `most` open disputes, the dearest first; others are not given them for half an hour."""
        now, least = self._clock(), self._tolerance()
        self._held = {row: held for row, held in self._held.items() if held[1] > now}
        free = (
            (-one.price, row)
            for row, one in self._open.items()
            if one.apart > least and self._held.get(row, (person,))[0] == person
        )
        rows = [row for _, row in heapq.nsmallest(most, free)]
        self._held.update((row, (person, now + LEASE_SECONDS)) for row in rows)
        return rows

    def votes(self, row: str) -> list[BlindVote]:
        """The votes on a row under names that tell nothing, in an order by a hash of row and person."""
        votes = sorted(self._votes(row), key=lambda vote: self._rank(row, vote[0]))
        return [
            BlindVote(
                name=name,
                labels=kept.event.labels,
                number=kept.event.number,
                comment=self._people[person].comment(row),
                flagged=self._people[person].flag(row) is not None,
            )
            for name, (person, kept) in zip(_names(), votes, strict=False)
        ]

    def _votes(self, row: str) -> list[tuple[str, Kept]]:
        """The last votes on a row, each with its person; skips are none."""
        found = []
        for person, answers in self._people.items():
            last = answers.last(row)
            if last is not None and last.event.event == "vote":
                found.append((person, last))
        return found

    def _stored(self, kept: Kept) -> str:
        return self._assignment.stored(kept.event.labels, kept.event.number)

    def _price(self, row: str, apart: float, votes: list[tuple[str, Kept]]) -> float:
        """The price of a dispute; of suggestions the one that was made last tells how near the model is to another label."""
        made = [(kept.time, kept.event.suggestion.p) for _, kept in votes if kept.event.suggestion]
        notes = sum(
            bool(answers.comment(row)) + (answers.flag(row) is not None)
            for answers in self._people.values()
        )
        return price(apart, closeness=closeness_of(max(made)[1]) if made else None, notes=notes)

    def _tolerance(self) -> float:
        return tolerance(self._numbers, problem=self._problem)

    def _rank(self, row: str, person: str) -> bytes:
        """A place by which nobody can tell the person, for the salt is new at each start."""
        return hashlib.sha256(self._salt + f"{row}\0{person}".encode()).digest()


def _names() -> Iterator[str]:
    """A to Z, then A2 to Z2 and so on."""
    yield from ascii_uppercase
    number = 2
    while True:
        yield from (f"{letter}{number}" for letter in ascii_uppercase)
        number += 1
