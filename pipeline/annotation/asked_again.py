"""Rows that one more person is asked about although they have a label: a second opinion, given blind.

Whoever has answered the row before is not given it, nor is whoever asked, unless nobody else labels. A row is done
with the first label that is given for this reason. The store guards it, for it is not safe for threads.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import get_args

from pipeline.annotation.events import SecondLook

WHYS: tuple[SecondLook, ...] = get_args(SecondLook)
LEASE_SECONDS = 1800.0
"""For how long a row that was given out waits for its answer until others may get it."""


@dataclass(slots=True)
class _Asked:
    """A row that is asked about.

    Attributes:
        barred: published names of those who are not given it.
        holder: who has it before the eyes; empty for nobody.
    """

    why: SecondLook
    barred: frozenset[str]
    done: bool
    holder: str = ""
    until: float = 0.0


@dataclass(kw_only=True)
class AskedAgain:
    """The rows by their ids.

    Attributes:
        clock: seconds, for leases.
    """

    clock: Callable[[], float] = time.monotonic
    _rows: dict[str, _Asked] = field(default_factory=dict)

    def __contains__(self, row: str) -> bool:
        return row in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter([*self._rows])

    @property
    def open(self) -> int:
        """How many rows wait for a second opinion."""
        return sum(not asked.done for asked in self._rows.values())

    def why(self, row: str) -> SecondLook | None:
        """Why the row is asked about; None where it is not, or was answered."""
        asked = self._rows.get(row)
        return None if asked is None or asked.done else asked.why

    def put(self, row: str, why: SecondLook | None, *, barred: Collection[str], done: bool) -> None:
        """Takes what is known of a row.

        Args:
            why: None where nobody asks about it any more.
            barred: as of the class: those who asked or have answered it.
            done: whether somebody has labelled it for this reason.
        """
        if why is None:
            self._rows.pop(row, None)
            return
        before = self._rows.get(row)
        asked = _Asked(why, frozenset(barred), done)
        if before is not None and before.holder not in asked.barred:
            asked.holder, asked.until = before.holder, before.until
        self._rows[row] = asked

    def take(self, person: str, most: int) -> list[str]:
        """Ids of up to `most` rows for the person, who has them from then on; those that the person has come first."""
        now = self.clock()
        mine = [row for row, asked in self._rows.items() if self._is_for(asked, person, now)]
        mine.sort(key=lambda row: self._rows[row].holder != person)
        for row in mine[:most]:
            self._rows[row].holder, self._rows[row].until = person, now + LEASE_SECONDS
        return mine[:most]

    @staticmethod
    def _is_for(asked: _Asked, person: str, now: float) -> bool:
        is_free = asked.holder in ("", person) or asked.until <= now
        return is_free and not asked.done and person not in asked.barred
