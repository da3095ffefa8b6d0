"""Who gets which rows: nobody's twice, a share to two people, and none is lost."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.annotation.labelling_queue import LEASE_SECONDS, LabellingQueue


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _queue(
    rows: int, *, double: float = 0.0, labelled: Sequence[int] = ()
) -> tuple[LabellingQueue, Clock]:
    clock, ids = Clock(), np.random.default_rng(3).integers(0, 2**63, rows).astype(np.uint64)
    waits = np.ones(rows, dtype=np.bool_)
    waits[list(labelled)] = False
    return LabellingQueue(ids, waits, double_share=double, clock=clock), clock


def _vote(queue: LabellingQueue, person: str, place: int) -> None:
    queue.mark(person, place, answered=True, voted=True, vote_before=False)


def _skip(queue: LabellingQueue, person: str, place: int) -> None:
    queue.mark(person, place, answered=True, voted=False, vote_before=False)


def _undo(queue: LabellingQueue, person: str, place: int) -> None:
    queue.mark(person, place, answered=False, voted=False, vote_before=True)


def test_rows_come_in_the_order_of_their_ids_without_those_that_have_a_label() -> None:
    ids = np.array([40, 10, 30, 20], dtype=np.uint64)
    queue = LabellingQueue(ids, np.array([True, True, False, True]), double_share=0)
    assert queue.take("p1", 10) == [1, 3, 0]
    assert (len(queue), queue.unlabelled) == (3, 3)


def test_a_row_that_somebody_has_is_not_given_to_others() -> None:
    queue, _ = _queue(30)
    first, second = queue.take("p1", 10), queue.take("p2", 10)
    assert len({*first, *second}) == 20


def test_asked_again_before_they_are_answered_the_same_rows_come() -> None:
    queue, _ = _queue(30)
    first = queue.take("p1", 5)
    assert queue.take("p1", 5) == first
    _vote(queue, "p1", first[0])
    assert queue.take("p1", 4) == first[1:]


def test_a_share_of_rows_is_given_to_two_people_who_do_not_wait_for_each_other() -> None:
    queue, _ = _queue(4000, double=0.2)
    first, second = queue.take("p1", 1000), queue.take("p2", 1000)
    both = len({*first} & {*second})
    assert 130 < both < 270


@pytest.mark.parametrize(("share", "votes"), [(0.0, 200), (1.0, 400)])
def test_three_people_label_each_row_as_often_as_it_is_wanted(share: float, votes: int) -> None:
    queue, _ = _queue(200, double=share)
    given: Counter[int] = Counter()
    chance = random.Random(1)  # noqa: S311 - a sample, no secret
    while rows := {p: queue.take(p, 7) for p in ("p1", "p2", "p3")}:
        if not any(rows.values()):
            break
        person = chance.choice([p for p, found in rows.items() if found])
        _vote(queue, person, rows[person][0])
        given[rows[person][0]] += 1
    assert sum(given.values()) == votes
    assert len(given) == 200
    assert queue.unlabelled == 0


def test_what_one_person_skips_others_get_even_where_they_had_passed_it_by() -> None:
    queue, _ = _queue(10)
    first = queue.take("p1", 4)
    for place in queue.take("p2", 10):
        _vote(queue, "p2", place)
    for place in first:
        _skip(queue, "p1", place)
    assert sorted(queue.take("p2", 10)) == sorted(first)
    assert queue.take("p1", 10) == []
    assert queue.unlabelled == 4


def test_what_is_taken_back_is_the_persons_again() -> None:
    queue, _ = _queue(10)
    place = queue.take("p1", 1)[0]
    _vote(queue, "p1", place)
    assert queue.unlabelled == 9
    _undo(queue, "p1", place)
    assert queue.unlabelled == 10
    assert place in queue.take("p1", 1)
    assert place not in queue.take("p2", 10)


def test_rows_that_nobody_answers_in_time_are_given_to_others() -> None:
    queue, clock = _queue(10)
    held = queue.take("p1", 6)
    assert len(queue.take("p2", 10)) == 4
    clock.now = LEASE_SECONDS
    assert {*held} < {*queue.take("p3", 10)}


def test_who_goes_on_asking_keeps_the_rows() -> None:
    queue, clock = _queue(10)
    held = queue.take("p1", 6)
    for minute in range(0, 120, 10):
        clock.now = minute * 60.0
        assert queue.take("p1", 6) == held


def test_answers_from_before_the_start_count() -> None:
    queue, _ = _queue(10)
    order = queue.take("p9", 10)
    queue, _ = _queue(10)
    queue.restore("p1", answered=order[:4], voted=order[:3])
    assert queue.unlabelled == 7
    assert queue.take("p1", 10) == order[4:]
    queue.mark("p1", order[0], answered=False, voted=False, vote_before=True)
    assert queue.unlabelled == 8


def test_an_answer_to_a_row_that_is_not_in_the_queue_changes_nothing() -> None:
    queue, _ = _queue(10, labelled=[3])
    _vote(queue, "p1", 3)
    assert queue.unlabelled == 9


def test_a_request_costs_the_same_after_many_labels() -> None:
    """Counted in rows looked at, not in time: each row is passed once a person."""
    queue, _ = _queue(20_000)
    for _ in range(900):
        for place in queue.take("p1", 20):
            _vote(queue, "p1", place)
    looked = 0
    is_for = queue._is_for

    def counted(person: str, number: int) -> bool:
        nonlocal looked
        looked += 1
        return is_for(person, number)

    queue._is_for = counted  # type: ignore[method-assign]
    queue.take("p1", 20)
    queue.take("p2", 20)
    assert looked <= 60
