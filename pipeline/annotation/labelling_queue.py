"""The rows that wait for a label, and who has which of them before the eyes.

All people get the rows in one order, that of their ids, which is random since ids are hashes. A share of the rows, chosen
by another hash, is labelled by two people who do not see each other's labels. A request costs the same
however many rows wait and however many have a label.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.data.row_ids import Ids

WHY = "random"
"""Why a row is in the queue, as its vote says later."""
LEASE_SECONDS = 1800.0
"""For how long a row that was given out waits for its answer until others may get it."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_LOOKED_AT = 200
"""How many of the rows that came back are looked at in one request."""


class LabellingQueue:
    """Rows by their place in the row file; not safe for threads, the store guards it.

    Args:
        ids: of all rows, `(rows,)`.
        waits: whether each row has no label of its source, `(rows,)`.
        double_share: share of the rows that two people label, 0 to 1.
        clock: seconds, for leases.
    """

    def __init__(
        self,
        ids: Ids,
        waits: NDArray[np.bool_],
        *,
        double_share: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        places = np.flatnonzero(waits)
        ordered = places[np.argsort(ids[places])].astype(np.int32)
        self._places = ordered
        self._numbers = np.full(len(ids), -1, dtype=np.int32)
        self._numbers[ordered] = np.arange(len(ordered), dtype=np.int32)
        self._wanted = np.where(_chosen(ids[ordered], double_share), 2, 1).astype(np.uint8)
        self._votes = np.zeros(len(ordered), dtype=np.uint8)
        self._answered: dict[str, set[int]] = {}
        self._cursors: dict[str, int] = {}
        self._held: dict[str, dict[int, float]] = {}
        self._holders: dict[int, set[str]] = {}
        self._leases: deque[tuple[float, str, int]] = deque()
        self._returned: deque[int] = deque()
        self._complete = 0
        self._clock = clock
        self.unlabelled = len(ordered)

    def __len__(self) -> int:
        """How many rows the queue has, labelled here or not."""
        return len(self._places)

    def restore(self, person: str, *, answered: Sequence[int], voted: Sequence[int]) -> None:
        """Takes the answers that a person gave before the server started; places of rows."""
        numbers = self._numbers[np.asarray(answered, dtype=np.int64)]
        self._answered.setdefault(person, set()).update(numbers[numbers >= 0].tolist())
        numbers = self._numbers[np.asarray(voted, dtype=np.int64)]
        self._votes[numbers[numbers >= 0]] += 1
        self.unlabelled = int((self._votes == 0).sum())

    def take(self, person: str, count: int) -> list[int]:
        """The places of up to `count` rows that the person should answer next.

        First come those that the person was given and has not answered, then fresh ones.
        """
        now = self._clock()
        self._end_leases(now)
        held = self._held.setdefault(person, {})
        taken = sorted(held)[:count]
        for number in taken:
            if held[number] - now < LEASE_SECONDS / 2:
                self._lease(person, number, now)
        for number in self._fresh(person, count - len(taken)):
            self._lease(person, number, now)
            taken.append(number)
        return [int(self._places[number]) for number in taken]

    def mark(
        self, person: str, place: int, *, answered: bool, voted: bool, vote_before: bool
    ) -> None:
        """Takes what a person's answer to a row is after an event.

        Args:
            answered: whether there is one, be it a skip; a row whose answer was taken back is the person's again.
            voted: whether it is a label.
            vote_before: whether it was one before the event.
        """
        if (number := int(self._numbers[place])) < 0:
            return
        if voted != vote_before:
            before = int(self._votes[number])
            self._votes[number] = after = before + (1 if voted else -1)
            self.unlabelled += (after == 0) - (before == 0)
        own = self._answered.setdefault(person, set())
        if answered:
            own.add(number)
            self._release(person, number)
            if not voted:
                self._returned.append(number)  # others passed it by while this person had it
        elif number in own:
            own.remove(number)
            self._lease(person, number, self._clock())

    def _fresh(self, person: str, count: int) -> list[int]:
        """Numbers of rows that nobody else has, or one other person where two are wanted."""
        found = self._from_returned(person, count)
        while self._complete < len(self._places) and not self._wants(self._complete):
            self._complete += 1
        cursor = max(self._cursors.get(person, 0), self._complete)
        while len(found) < count and cursor < len(self._places):
            if self._is_for(person, cursor) and cursor not in found:
                found.append(cursor)
            cursor += 1
        self._cursors[person] = cursor
        return found

    def _from_returned(self, person: str, count: int) -> list[int]:
        """Numbers of rows that others were given and gave back, or did not answer."""
        found: list[int] = []
        for _ in range(min(len(self._returned), _LOOKED_AT)):
            if len(found) == count:
                break
            number = self._returned.popleft()
            takes = number not in found and self._is_for(person, number)
            if takes:
                found.append(number)
            if self._open(number) > takes:
                self._returned.append(number)
        return found

    def _wants(self, number: int) -> bool:
        return bool(self._votes[number] < self._wanted[number])

    def _open(self, number: int) -> int:
        """How many more people may get the row."""
        holders = len(self._holders.get(number, ()))
        return max(int(self._wanted[number]) - int(self._votes[number]) - holders, 0)

    def _has(self, person: str, number: int) -> bool:
        return number in self._answered.get(person, ()) or number in self._held.get(person, ())

    def _is_for(self, person: str, number: int) -> bool:
        return self._open(number) > 0 and not self._has(person, number)

    def _lease(self, person: str, number: int, now: float) -> None:
        end = now + LEASE_SECONDS
        self._held.setdefault(person, {})[number] = end
        self._holders.setdefault(number, set()).add(person)
        self._leases.append((end, person, number))

    def _release(self, person: str, number: int) -> None:
        self._held.get(person, {}).pop(number, None)
        holders = self._holders.get(number, set())
        holders.discard(person)
        if not holders:
            self._holders.pop(number, None)

    def _end_leases(self, now: float) -> None:
        while self._leases and self._leases[0][0] <= now:
            end, person, number = self._leases.popleft()
            if self._held.get(person, {}).get(number) == end:
                self._release(person, number)
                self._returned.append(number)


def _chosen(ids: Ids, share: float) -> NDArray[np.bool_]:
    """Which rows two people label: those with a small second hash, whatever their order; `(rows,)`."""
    with np.errstate(over="ignore"):
        mixed = (ids ^ (ids >> np.uint64(29))) * _MIX
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) < share * 2.0**53)
