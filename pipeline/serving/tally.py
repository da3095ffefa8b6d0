"""Counts what a worker answers. Counting a request takes a few additions; `/metrics` does the rest.

Numbers lie in shared memory (shared_slots.py), so `totals` are those of all workers of the server. Only the event
loop's thread counts.
"""

import zlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.serving.shared_slots import Slots

BUCKETS = (
    *(0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
"""Upper ends in seconds. The usual ones begin at five milliseconds, which a small model never takes."""
STATUSES = (
    *("200", "206", "304", "308", "400", "401", "404", "405", "408", "413", "415", "416", "421"),
    *("422", "429", "499", "500", "503", "504"),
)
OTHER = "other"
"""Label of a status, a route or a reason that has no label of its own."""
REASONS = ("queue", "deadline", "model", "stopping", OTHER)
COUNTS = ("texts_computed", "log_lines_lost")
_NANOSECONDS = 1e9
LEVELS = ("requests_waiting", "requests_running")


@dataclass(frozen=True)
class Histogram:
    """Seconds of one route's requests: how many fell into each bucket, the last without end, and their sum."""

    buckets: tuple[int, ...]
    sum: float


@dataclass(frozen=True)
class Worker:
    """A worker that runs; `note` is what it said of itself."""

    number: int
    pid: int
    note: str


@dataclass(frozen=True)
class Totals:
    """The sums of all that the workers have counted, and the levels of those that run.

    Attributes:
        requests: (route, status) → answers; pairs without one are left out.
        seconds: route → how long its answers took.
        refusals: reason → requests refused for it.
    """

    requests: Mapping[tuple[str, str], int]
    seconds: Mapping[str, Histogram]
    refusals: Mapping[str, int]
    counts: Mapping[str, int]
    levels: Mapping[str, int]
    workers: tuple[Worker, ...]


class Tally:
    """The counters of one worker, and through them those of all."""

    def __init__(self, routes: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Takes a place for its numbers.

        Args:
            routes: paths of the routes, with their parameters' names.
            environment: of a worker with a supervisor; None counts for this process alone.
        """
        self._routes = (*routes, OTHER)
        self._wide = len(BUCKETS) + 2  # one without end, and the sum
        sizes = {
            "requests": len(self._routes) * (len(STATUSES) + 1),
            "seconds": len(self._routes) * self._wide,
            "refusals": len(REASONS),
            "counts": len(COUNTS),
            "levels": len(LEVELS),
        }
        self._start, end = {}, 0
        for part, size in sizes.items():
            self._start[part], end = end, end + size
        self._route_at = {route: at for at, route in enumerate(self._routes)}
        self._status_at = {int(status): at for at, status in enumerate(STATUSES)}
        meaning = repr((self._routes, BUCKETS, STATUSES, REASONS, COUNTS, LEVELS)).encode()
        self._slots = Slots.of_worker(environment or {}, meaning=zlib.crc32(meaning))
        self._values = self._slots.values
        if end > len(self._values):
            raise ValueError(f"{end} numbers for a slot of {len(self._values)}")
        named = (("refusals", REASONS), ("counts", COUNTS), ("levels", LEVELS))
        self._place_of = {
            name: self._start[part] + at for part, names in named for at, name in enumerate(names)
        }
        self._seconds_at = self._start["seconds"]
        for name in LEVELS:
            self._values[self._place_of[name]] = 0  # what a dead worker had open is not open now

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts one answer."""
        values, place = self._values, self._route_at.get(route, len(self._routes) - 1)
        values[place * (len(STATUSES) + 1) + self._status_at.get(status, len(STATUSES))] += 1
        first = self._seconds_at + place * self._wide
        values[first + bisect_left(BUCKETS, seconds)] += 1
        values[first + self._wide - 1] += round(seconds * _NANOSECONDS)

    def refused(self, reason: str) -> None:
        """Counts a request that was refused without work, for one of `REASONS`."""
        self._values[self._place_of[reason]] += 1

    def count(self, name: str, amount: int = 1) -> None:
        """Adds to one of `COUNTS`."""
        self._values[self._place_of[name]] += amount

    def set_level(self, name: str, level: int) -> None:
        """Sets one of `LEVELS` of this worker."""
        self._values[self._place_of[name]] = level

    def describe(self, note: str) -> None:
        """Says something of this worker to whoever asks any of them."""
        self._slots.write_note(note)

    def totals(self) -> Totals:
        """The sums over all workers of this server that count the same things."""
        filled = [*self._slots.filled()]
        summed = [sum(column) for column in zip(*(slot.values for slot in filled), strict=True)]
        living = [slot for slot in filled if slot.alive]
        levels = {
            name: sum(slot.values[self._place_of[name]] for slot in living) for name in LEVELS
        }
        return Totals(
            requests=self._requests(summed),
            seconds={route: self._histogram(summed, route) for route in self._routes},
            refusals={reason: summed[self._place_of[reason]] for reason in REASONS},
            counts={name: summed[self._place_of[name]] for name in COUNTS},
            levels=levels,
            workers=tuple(Worker(slot.number, slot.pid, slot.note) for slot in living),
        )

    def _requests(self, summed: Sequence[int]) -> dict[tuple[str, str], int]:
        keys = [(route, status) for route in self._routes for status in (*STATUSES, OTHER)]
        return {key: found for key, found in zip(keys, summed, strict=False) if found}

    def _histogram(self, summed: Sequence[int], route: str) -> Histogram:
        first = self._start["seconds"] + self._route_at[route] * self._wide
        *buckets, total = summed[first : first + self._wide]
        return Histogram(tuple(buckets), total / _NANOSECONDS)
