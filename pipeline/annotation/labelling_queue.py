"""The rows that wait for a label, and who has which of them before the eyes.

Rows come in lanes, each with its reason and its share of what a person is given. The lane `random` is a share of the
rows that their hashes choose, in the order of their ids, which are hashes too: it stays a random sample of the data
whatever else is asked, so that quality may be measured on it. The other lanes hold what a model would learn most from, or
what may be wrong; until they are known, all rows come by chance. Another hash chooses the rows that are labelled by
two people who do not see each other's labels. A request costs the same however many rows wait and however many
have a label.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.data.row_ids import Ids

RANDOM = "random"
"""Why a row is in the queue: by chance alone."""
REST = "rest"
"""Why a row is in the queue that the model did not choose, once it has chosen others."""
LEASE_SECONDS = 1800.0
"""For how long a row that was given out waits for its answer until others may get it."""
OFFER_WEIGHT = 0.2
"""Share of what a person is given that comes from rows which somebody sent to the queue, while there are any."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_OTHER_MIX = np.uint64(0xD6E8FEB86659FD93)
_LOOKED_AT = 200
"""How many of the rows that came back are looked at in one request."""
_MOST_WANTED = 255


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Rows that are asked for one reason.

    Attributes:
        why: the reason, which the row's vote carries.
        places: of the rows, the first one first.
        weight: share of what the random share leaves, in proportion to the weights of the other lanes.
    """

    why: str
    places: Sequence[int] | NDArray[np.integer]
    weight: float


@dataclass
class _Line:
    """A lane by the numbers of its rows, and how far each person has come in it."""

    why: str
    numbers: NDArray[np.int32]
    weight: float
    cursors: dict[str, int] = field(default_factory=dict)
    complete: int = 0


class LabellingQueue:
    """Rows by their place in the row file; not safe for threads, the store guards it.

    Args:
        ids: of all rows, `(rows,)`.
        waits: whether each row has no label of its source, `(rows,)`.
        double_share: share of the rows that two people label, 0 to 1.
        random_share: share of the rows, and of what a person is given, that is chosen by chance alone, 0 to 1.
        clock: seconds, for leases.
    """

    def __init__(
        self,
        ids: Ids,
        waits: NDArray[np.bool_],
        *,
        double_share: float,
        random_share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Rows that wait come first; those with a label follow, for somebody may doubt it.
        waiting, others = (
            places[np.argsort(ids[places])]
            for places in (np.flatnonzero(waits), np.flatnonzero(~waits))
        )
        self._waiting = len(waiting)
        self._places = np.concatenate([waiting, others]).astype(np.int32)
        self._numbers = np.empty(len(ids), dtype=np.int32)
        self._numbers[self._places] = np.arange(len(ids), dtype=np.int32)
        self._wanted = np.zeros(len(ids), dtype=np.uint8)
        self._wanted[: self._waiting] = np.where(_chosen(ids[waiting], double_share), 2, 1)
        self._votes = np.zeros(len(ids), dtype=np.uint8)
        self._by_chance = np.zeros(len(ids), dtype=np.bool_)
        self._by_chance[: self._waiting] = _by_chance(ids[waiting], random_share)
        self._random = _Line(RANDOM, _numbers(self._by_chance), random_share)
        self._rest = _Line(RANDOM, _numbers(~self._by_chance[: self._waiting]), 1 - random_share)
        self._lines: list[_Line] = []
        self._offers: dict[str, _Line] = {}
        self._whys: dict[int, str] = {}
        self._credits: dict[str, dict[str, float]] = {}
        self._answered: dict[str, set[int]] = {}
        self._held: dict[str, dict[int, float]] = {}
        self._holders: dict[int, set[str]] = {}
        self._leases: deque[tuple[float, str, int]] = deque()
        self._returned: deque[int] = deque()
        self._clock = clock
        self.unlabelled = self._waiting
        self.votes = 0

    def __len__(self) -> int:
        """How many rows of the queue have no label of their source, labelled here or not."""
        return self._waiting

    def restore(
        self,
        person: str,
        *,
        answered: Sequence[int],
        voted: Sequence[int],
        whys: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Takes the answers that a person gave before the server started; places of rows.

        Args:
            whys: places of rows with the reason for which the person was asked.
        """
        numbers = self._numbers[np.asarray(answered, dtype=np.int64)]
        self._answered.setdefault(person, set()).update(numbers.tolist())
        self._votes[self._numbers[np.asarray(voted, dtype=np.int64)]] += 1
        self.votes += len(voted)
        self.unlabelled = int((self._votes[: self._waiting] == 0).sum())
        for place, why in whys:
            self._whys[int(self._numbers[place])] = why

    def reorder(self, lanes: Sequence[Lane]) -> None:
        """Takes the lanes in place of those that were taken before; costs as much as they have rows.

        Rows of the random share are left out of them. A row with a label of its source is asked of one person.
        """
        self._rest.why = REST
        self._lines = [
            _Line(lane.why, self._asked(lane.places), lane.weight) for lane in lanes if lane.weight
        ]

    def offer(self, places: Sequence[int], why: str) -> int:
        """Puts rows into a lane of their own, after those that were sent there before; returns how many are new there.

        Each is asked of one more person, whatever labels it has. Rows of the random share that nobody has labelled
        stay where they are: brought forward, they would make a choice of what is a sample.
        """
        line = self._offers.setdefault(why, _Line(why, np.zeros(0, np.int32), OFFER_WEIGHT))
        numbers = np.unique(self._numbers[np.asarray(places, dtype=np.int64)])
        numbers = numbers[~self._by_chance[numbers] | (self._votes[numbers] > 0)]
        open_there = line.numbers[self._votes[line.numbers] < self._wanted[line.numbers]]
        fresh = np.setdiff1d(numbers, open_there)
        for number in fresh.tolist():
            taken = int(self._votes[number]) + len(self._holders.get(number, ()))
            self._wanted[number] = min(max(int(self._wanted[number]), taken + 1), _MOST_WANTED)
            self._whys[number] = why
        line.numbers = np.concatenate([line.numbers, fresh.astype(np.int32)])
        return len(fresh)

    def why(self, place: int) -> str:
        """Why the row is asked."""
        number = int(self._numbers[place])
        return self._whys.get(number) or (RANDOM if self._by_chance[number] else self._rest.why)

    def waiting(self) -> dict[str, int]:
        """How many rows of each reason lack a label that is wanted; costs as much as there are rows."""
        counts: dict[str, int] = {}
        for line in (self._random, *self._lines, *self._offers.values()):
            lacks = self._votes[line.numbers] < self._wanted[line.numbers]
            counts[line.why] = counts.get(line.why, 0) + int(lacks.sum())
        return counts

    def take(self, person: str, count: int) -> list[int]:
        """The places of up to `count` rows that the person should answer next.

        First come those that the person was given and has not answered, then fresh ones.
        """
        now = self._clock()
        self._end_leases(now)
        held = self._held.setdefault(person, {})
        taken = [*held][:count]
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
        number = int(self._numbers[place])
        if voted != vote_before:
            before = int(self._votes[number])
            self._votes[number] = after = before + (1 if voted else -1)
            self.votes += after - before
            if number < self._waiting:
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
            held = self._held[person]
            self._held[person] = {number: held.pop(number), **held}

    def _fresh(self, person: str, count: int) -> list[int]:
        """Numbers of rows that nobody else has, or one other person where two are wanted."""
        found = self._from_returned(person, count)
        while len(found) < count and (number := self._next(person, found)) is not None:
            found.append(number)
        return found

    def _next(self, person: str, found: Sequence[int]) -> int | None:
        """The number of the next row, from the lane that is farthest behind its share; None where there is none."""
        chosen = [*self._offers.values(), *self._lines]
        others = chosen if self._lines else [*chosen, self._rest]
        lines = [self._random, *others]
        owed = self._credits.setdefault(person, {})
        shares = self._shares(others)
        for line in lines:
            owed[self._key(line)] = owed.get(self._key(line), 0.0) + shares[self._key(line)]
        total = sum(shares.values())
        for line in sorted(lines, key=lambda line: -owed[self._key(line)]):
            number = self._step(line, person, found)
            if number is None and line is not self._random and line.why not in self._offers:
                number = self._step(self._rest, person, found)
            if number is not None:
                owed[self._key(line)] -= total
                return number
            owed[self._key(line)] = 0.0  # an empty lane saves nothing up
        return None

    def _shares(self, others: Sequence[_Line]) -> dict[str, float]:
        """Reason → share of what a person is given: the random share, and what it leaves, by the others' weights."""
        left, weights = 1 - self._random.weight, sum(line.weight for line in others)
        scale = left / weights if left and weights else 1.0
        shares: dict[str, float] = {self._random.why: self._random.weight}
        for line in others:
            shares[self._key(line)] = shares.get(self._key(line), 0.0) + scale * line.weight
        return shares

    def _key(self, line: _Line) -> str:
        """A lane's name in the accounts; before a model has chosen, two lanes have one reason."""
        return REST if line is self._rest else line.why

    def _step(self, line: _Line, person: str, found: Sequence[int]) -> int | None:
        """The number of the next row of a lane that the person may have; each row is passed once."""
        numbers = line.numbers
        while line.complete < len(numbers) and not self._wants(int(numbers[line.complete])):
            line.complete += 1
        cursor = max(line.cursors.get(person, 0), line.complete)
        while cursor < len(numbers):
            number = int(numbers[cursor])
            cursor += 1
            if self._is_for(person, number) and number not in found:
                line.cursors[person] = cursor
                self._keep_why(number, line.why)
                return number
        line.cursors[person] = cursor
        return None

    def _asked(self, places: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int32]:
        """Numbers of the rows of a lane, without those of the random share."""
        numbers = self._numbers[np.asarray(places, dtype=np.int64)]
        numbers = numbers[~self._by_chance[numbers]]
        self._wanted[numbers] = np.maximum(self._wanted[numbers], 1)
        return numbers

    def _keep_why(self, number: int, why: str) -> None:
        if not self._by_chance[number]:
            self._whys.setdefault(number, why)

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


def _numbers(chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.flatnonzero(chosen).astype(np.int32)


def _chosen(ids: Ids, share: float) -> NDArray[np.bool_]:
    """Which rows two people label: those with a small second hash, whatever their order; `(rows,)`."""
    with np.errstate(over="ignore"):
        mixed = (ids ^ (ids >> np.uint64(29))) * _MIX
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) < share * 2.0**53)


def _by_chance(ids: Ids, share: float) -> NDArray[np.bool_]:
    """Which rows are asked by chance alone: those with a small third hash; `(rows,)`."""
    with np.errstate(over="ignore"):
        mixed = (ids ^ (ids >> np.uint64(32))) * _OTHER_MIX
        mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) < share * 2.0**53)
