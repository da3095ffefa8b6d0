"""Counters of several workers: sums over all, which no end of a worker loses or turns back."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from pipeline.serving.shared_slots import VARIABLE, open_shared
from pipeline.serving.tally import BUCKETS, OTHER, Tally
from tests.support.repository import REPOSITORY

ROUTES = ("/predict", "/model")
COUNT_AND_DIE = """
import os
from pipeline.serving.tally import Tally
tally = Tally(("/predict", "/model"), os.environ)
tally.answered("/predict", 200, 0.001)
tally.set_level("requests_waiting", 1)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(name="place")
def make_place() -> Iterator[Mapping[str, str]]:
    """What a supervisor tells its first worker."""
    descriptor = open_shared()
    try:
        yield {VARIABLE: str(descriptor)}
    finally:
        os.close(descriptor)


def worker(place: Mapping[str, str], slot: int, routes: tuple[str, ...] = ROUTES) -> Tally:
    """A worker in a slot; it gets a descriptor of its own, as a process does."""
    return Tally(routes, {VARIABLE: f"{os.dup(int(place[VARIABLE]))}:{slot}"})


def test_answers_are_counted_by_route_and_status_and_the_rest_as_other() -> None:
    tally = Tally(ROUTES)
    for route, status in (("/predict", 200), ("/predict", 200), ("/predict", 418), ("/x", 404)):
        tally.answered(route, status, 0.001)
    found = tally.totals().requests
    assert found == {("/predict", "200"): 2, ("/predict", OTHER): 1, (OTHER, "404"): 1}


def test_a_time_falls_into_the_first_bucket_that_reaches_it_and_the_first_ends_at_a_fifth_of_a_millisecond() -> (
    None
):
    tally = Tally(ROUTES)
    for seconds in (0.0001, 0.0002, 0.00021, 100.0):
        tally.answered("/predict", 200, seconds)
    histogram = tally.totals().seconds["/predict"]
    assert BUCKETS[0] == 0.0002
    assert (histogram.buckets[0], histogram.buckets[1], histogram.buckets[-1]) == (2, 1, 1)
    assert len(histogram.buckets) == len(BUCKETS) + 1
    assert histogram.sum == pytest.approx(100.00051)


def test_any_worker_tells_the_sum_of_all(place: Mapping[str, str]) -> None:
    first, second = worker(place, 0), worker(place, 1)
    first.answered("/predict", 200, 0.001)
    first.count("texts_computed", 64)
    second.answered("/predict", 200, 0.001)
    second.refused("queue")
    second.set_level("requests_waiting", 1)
    for tally in (first, second):
        totals = tally.totals()
        assert totals.requests == {("/predict", "200"): 2}
        assert totals.counts["texts_computed"] == 64
        assert totals.refusals["queue"] == 1
        assert totals.levels["requests_waiting"] == 1


def test_a_killed_workers_counts_stay_and_what_it_had_open_does_not(
    place: Mapping[str, str],
) -> None:
    own, shared = worker(place, 0), int(place[VARIABLE])
    for _ in range(2):  # the second takes the place of the first
        killed = subprocess.run(
            [sys.executable, "-c", COUNT_AND_DIE],
            env={**os.environ, VARIABLE: f"{shared}:1", "PYTHONPATH": str(REPOSITORY)},
            pass_fds=[shared],
            check=False,
        )
        assert killed.returncode == -9
    totals = own.totals()
    assert totals.requests == {("/predict", "200"): 2}
    assert totals.levels["requests_waiting"] == 0
    assert [found.pid for found in totals.workers] == [os.getpid()]


def test_workers_of_other_code_whose_numbers_mean_something_else_are_left_out(
    place: Mapping[str, str],
) -> None:
    old, new = worker(place, 0), worker(place, 1, ("/predict", "/newer"))
    old.answered("/predict", 200, 0.001)
    assert new.totals().requests == {}
    taken = worker(place, 0, ("/predict", "/newer"))
    assert taken.totals().requests == {}


def test_what_a_worker_says_of_itself_is_told_by_each(place: Mapping[str, str]) -> None:
    first, second = worker(place, 0), worker(place, 1)
    first.describe('version="é1"')
    assert [found.note for found in second.totals().workers] == ['version="é1"', ""]
    first.describe("x" * 5000)
    assert [found.note for found in second.totals().workers] == ["", ""]
