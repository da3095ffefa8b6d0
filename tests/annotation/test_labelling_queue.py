"""Who gets which rows: nobody's twice, a share to two people, and none is lost."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.annotation.labelling_queue import LEASE_SECONDS, RANDOM, REST, LabellingQueue, Lane


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


def _lanes(rows: int = 1000, *, labelled: Sequence[int] = ()) -> tuple[LabellingQueue, Clock]:
    """A queue with a fifth by chance, and each even row in the lane `uncertain`, the last one first."""
    clock, ids = Clock(), np.random.default_rng(3).integers(0, 2**63, rows).astype(np.uint64)
    waits = np.ones(rows, dtype=np.bool_)
    waits[list(labelled)] = False
    queue = LabellingQueue(ids, waits, double_share=0, random_share=0.2, clock=clock)
    return queue, clock


def _lane(places: Sequence[int], why: str = "uncertain", weight: float = 0.8) -> Lane:
    return Lane(why=why, places=places, weight=weight)


def _whys(queue: LabellingQueue, places: Sequence[int]) -> Counter[str]:
    return Counter(queue.why(place) for place in places)


def test_until_a_model_has_chosen_all_rows_come_by_chance() -> None:
    queue, _ = _lanes()
    assert _whys(queue, queue.take("p1", 100)) == {RANDOM: 100}


def test_the_random_share_is_not_used_up_before_a_model_has_chosen() -> None:
    queue, _ = _lanes()
    before = queue.waiting()[RANDOM]
    for place in queue.take("p1", 100):
        _vote(queue, "p1", place)
    assert before - queue.waiting()[RANDOM] == 20


def test_of_five_rows_one_comes_by_chance_and_the_others_from_the_lane_in_its_order() -> None:
    queue, _ = _lanes()
    queue.reorder([_lane(range(999, -1, -2))])
    given = queue.take("p1", 100)
    chosen = [place for place in given if queue.why(place) == "uncertain"]
    assert _whys(queue, given) == {RANDOM: 20, "uncertain": 80}
    assert chosen == sorted(chosen, reverse=True)


def test_the_random_share_is_the_same_sample_whatever_a_model_chooses() -> None:
    """Even where the model wants each row, those of the random share are asked by chance alone."""
    plain, _ = _lanes()
    plain.reorder([])
    samples = []
    for lane in (range(1000), range(999, -1, -1)):
        queue, _ = _lanes()
        queue.reorder([_lane(lane)])
        given = queue.take("p1", 500)
        samples.append([place for place in given if queue.why(place) == RANDOM])
    assert samples[0] == samples[1]
    assert len(samples[0]) == 100


def test_a_random_share_of_the_rows_is_about_as_large_as_it_says() -> None:
    queue, _ = _lanes(20_000)
    assert 3800 < queue.waiting()[RANDOM] < 4200


def test_lanes_get_their_shares_and_an_empty_one_leaves_its_to_the_others() -> None:
    queue, _ = _lanes()
    lanes = [_lane(range(600), weight=0.6), _lane(range(600, 1000), "diverse", 0.2)]
    queue.reorder(lanes)
    assert _whys(queue, queue.take("p1", 200)) == {RANDOM: 40, "uncertain": 120, "diverse": 40}
    queue.reorder([_lane(range(600), weight=0.6), _lane([], "diverse", 0.2)])
    whys = _whys(queue, queue.take("p2", 200))
    assert whys["diverse"] == 0
    assert whys[RANDOM] == 40
    assert whys["uncertain"] + whys[REST] == 160


@pytest.mark.parametrize("weight", [0.05, 0.2, 3.0])
def test_a_fifth_stays_random_whatever_the_lanes_weigh(weight: float) -> None:
    queue, _ = _lanes()
    queue.reorder([_lane(range(1000), weight=weight)])
    assert _whys(queue, queue.take("p1", 100)) == {RANDOM: 20, "uncertain": 80}


def test_what_no_lane_has_comes_after_it_and_says_so() -> None:
    queue, _ = _lanes(100)
    queue.reorder([_lane(range(10))])
    given = queue.take("p1", 100)
    assert sorted(given) == [*range(100)]
    whys = _whys(queue, given)
    assert whys["uncertain"] <= 10
    assert whys[REST] > 50


def test_a_row_keeps_the_reason_for_which_it_was_given_when_lanes_change() -> None:
    queue, _ = _lanes()
    queue.reorder([_lane(range(1000))])
    first = queue.take("p1", 50)
    before = [queue.why(place) for place in first]
    queue.reorder([_lane(range(999, -1, -1), "diverse")])
    assert queue.take("p1", 50) == first
    assert [queue.why(place) for place in first] == before


def test_a_row_with_a_label_is_asked_of_one_person_where_somebody_doubts_it() -> None:
    queue, _ = _lanes(labelled=[3, 4])
    assert not {3, 4} & {*queue.take("p1", 1000)}
    queue.reorder([_lane([3, 4], "suspect")])
    assert {3, 4} <= {*queue.take("p1", 1000)}
    assert not {3, 4} & {*queue.take("p2", 1000)}
    _vote(queue, "p1", 3)
    assert (queue.why(3), queue.unlabelled, queue.votes) == ("suspect", 998, 1)


def test_rows_that_somebody_sends_are_asked_once_more_and_soon() -> None:
    queue, _ = _queue(100)
    labelled = queue.take("p1", 20)
    for place in labelled:
        _vote(queue, "p1", place)
    assert queue.offer(labelled[:5], "error") == 5
    assert queue.offer(labelled[:5], "error") == 0
    given = queue.take("p2", 40)
    assert {*labelled[:5]} <= {*given}
    assert {queue.why(place) for place in labelled[:5]} == {"error"}
    assert not {*labelled} & {*queue.take("p1", 40)}


def test_rows_of_the_random_sample_cannot_be_brought_forward() -> None:
    queue, _ = _queue(100)
    assert queue.offer(range(100), "error") == 0
    assert _whys(queue, queue.take("p1", 50)) == {RANDOM: 50}


def test_the_reason_of_a_row_outlives_a_restart() -> None:
    queue, _ = _lanes()
    queue.reorder([_lane(range(1000))])
    chosen = [place for place in queue.take("p1", 20) if queue.why(place) == "uncertain"]
    again, _ = _lanes()
    again.restore("p1", answered=chosen, voted=chosen, whys=[(p, "uncertain") for p in chosen])
    assert {again.why(place) for place in chosen} == {"uncertain"}


def test_a_request_costs_the_same_with_lanes_after_many_labels() -> None:
    queue, _ = _lanes(20_000)
    queue.reorder([_lane(range(15_000)), _lane(range(15_000, 20_000), "diverse", 0.1)])
    for _ in range(600):
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
    assert looked <= 80
