"""Which disputes are open, in which order, and that votes tell nobody's name."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.disputes import LEASE_SECONDS, Disputes
from pipeline.annotation.events import Kept, read_event
from pipeline.annotation.standing_answers import Answers
from tests.support.labelling import row_id, vote

LABELS = ("good", "bad", "so-so")


class _Room:
    """People who label, and the disputes between them."""

    def __init__(self, problem: str = "classification", labels: tuple[str, ...] = LABELS) -> None:
        self._asked = Assignment(product="p", problem=problem, labels=labels)
        self.now = 0.0
        self._answers = {name: Answers() for name in ("p1", "p2", "p3", "p4")}
        self._uids = 0
        self.disputes = self._disputes()

    def _disputes(self) -> Disputes:
        found = Disputes(self._asked, clock=lambda: self.now)
        for name, answers in self._answers.items():
            found.join(name, answers)
        return found

    def restart(self) -> None:
        self.disputes = self._disputes()
        self.disputes.restore()

    def does(self, person: str, **event: Any) -> str:
        self._uids += 1
        given = read_event({"uid": f"u{self._uids}", **event})
        time = f"2026-12-01T09:00:00.{self._uids:03d}+00:00"
        kept = Kept(event=given, seq=self._uids, person=person, text_sha=None, time=time)
        answers = self._answers[person]
        row = answers.row_of(kept)
        answers.take(kept)
        self.disputes.update(row)
        return given.uid

    def votes(self, row: int, *labels: Any, **more: Any) -> None:
        """The first people vote on the row, one label each."""
        for person, label in zip(self._answers, labels, strict=False):
            is_number = isinstance(label, float)
            answer = {"number": label} if is_number else {"labels": [label] if label else []}
            self.does(person, event="vote", row=row_id(row), **answer, **more)

    def decides(self, person: str, row: int, label: str = "good") -> str:
        return self.does(person, event="adjudicate", row=row_id(row), labels=[label], why="slip")

    def dearest(self, person: str = "p4", most: int = 10) -> list[int]:
        return [int(row, 16) for row in self.disputes.dearest(person, most)]


def test_a_dispute_opens_with_the_second_label_that_differs_and_ends_with_a_decision() -> None:
    room = _Room()
    room.votes(1, "good")
    assert room.dearest() == []
    room.votes(1, "good", "bad")
    assert (room.dearest(), room.disputes.count()) == ([1], 1)
    uid = room.decides("p4", 1)
    assert (room.dearest(), room.disputes.count()) == ([], 0)
    room.does("p4", event="undo", row=row_id(1), undoes=uid)
    assert room.dearest() == [1]


def test_an_undone_or_changed_vote_ends_a_dispute_and_a_skip_is_none() -> None:
    room = _Room()
    room.votes(1, "good", "bad")
    room.does("p2", event="vote", row=row_id(1), labels=["good"])
    assert room.dearest() == []
    room.votes(2, "good")
    room.does("p2", event="skip", row=row_id(2))
    assert room.dearest() == []
    uid = room.does("p3", event="vote", row=row_id(2), labels=["bad"])
    assert room.dearest() == [2]
    room.does("p3", event="undo", row=row_id(9), undoes=uid)  # names a row that is another
    assert room.dearest() == []


def test_the_decision_of_anybody_counts_until_all_are_taken_back() -> None:
    room = _Room()
    room.votes(1, "good", "bad")
    first, second = room.decides("p3", 1), room.decides("p4", 1, "bad")
    room.does("p3", event="undo", row=row_id(1), undoes=first)
    assert room.dearest() == []
    room.does("p4", event="undo", row=row_id(1), undoes=second)
    assert room.dearest() == [1]


def test_the_dearest_comes_first_by_votes_model_and_notes() -> None:
    room = _Room()
    sure = {"suggestion": {"label": "good", "p": 0.95, "model": "m"}}
    room.votes(1, "good", "bad", **sure)  # 1 bit × .1
    room.votes(2, "good", "good", "bad")  # .92 bits
    room.votes(3, "good", "bad", "so-so")  # 1.58 bits
    room.votes(4, "good", "bad")  # 1 bit × 3: a flag and a comment
    room.does("p1", event="flag", row=row_id(4))
    room.does("p2", event="comment", row=row_id(4), comment="?")
    room.votes(5, "good", "bad")  # 1 bit
    room.votes(6, "good", "bad")  # 1 bit, and a later id
    assert room.dearest() == [4, 3, 5, 6, 2, 1]


def test_of_several_suggestions_the_last_one_tells_how_near_the_model_is() -> None:
    room = _Room()
    for row, shares in ((1, (0.5, 0.99)), (2, (0.99, 0.5))):
        for place, share in enumerate(shares):
            suggestion = {"label": "good", "p": share, "model": "m"}
            room.does(
                f"p{place + 1}",
                event="vote",
                row=row_id(row),
                labels=[LABELS[place]],
                suggestion=suggestion,
            )
    assert room.dearest() == [2, 1]


def several(room: _Room) -> None:
    room.votes(1, "good", "")
    room.votes(2, "", "")
    room.votes(3, "good", "good")


def numbers(room: _Room) -> None:
    room.votes(1, 1.0, 5.0)
    room.votes(2, 4.0, 4.1)
    room.votes(3, 3.0, 3.0)


@pytest.mark.parametrize(
    ("problem", "labels", "given"),
    [("multi_label", LABELS, several), ("regression", ("stars",), numbers)],
    ids=["several labels", "a number"],
)
def test_every_kind_of_problem_has_disputes(
    problem: str, labels: tuple[str, ...], given: Callable[[_Room], None]
) -> None:
    room = _Room(problem, labels)
    given(room)
    assert (room.dearest(), room.disputes.count()) == ([1], 1)
    room.restart()
    assert (room.dearest(), room.disputes.count()) == ([1], 1)


def test_the_scale_of_numbers_follows_the_votes_that_stand() -> None:
    room = _Room("regression", ("stars",))
    room.votes(1, 1.0, 2.0)
    room.votes(2, 1.0, 1.0)
    assert room.dearest() == [1]
    uid = room.does("p3", event="vote", row=row_id(3), number=1000.0)
    assert room.dearest() == []
    room.does("p3", event="undo", row=row_id(3), undoes=uid)
    assert room.dearest() == [1]


def test_after_a_restart_the_same_disputes_are_open_in_the_same_order() -> None:
    room = _Room()
    for row in range(40):
        room.votes(row, *(LABELS[(row * place) % 3] for place in (1, 2, 3)[: 2 + row % 2]))
    for row in range(0, 40, 5):
        room.decides("p4", row)
    before = room.dearest(most=100)
    assert before
    room.restart()
    assert room.dearest(most=100) == before


def test_no_two_adjudicators_get_one_dispute_until_half_an_hour_has_passed() -> None:
    room = _Room()
    for row in range(4):
        room.votes(row, "good", "bad")
    assert room.dearest("p3", 2) == [0, 1]
    assert room.dearest("p4", 2) == [2, 3]
    assert room.dearest("p3", 9) == [0, 1]
    room.now = LEASE_SECONDS + 1
    assert room.dearest("p4", 9) == [0, 1, 2, 3]


def test_votes_have_letters_for_names_in_an_order_that_differs_from_row_to_row() -> None:
    room = _Room()
    for row in range(60):
        room.votes(row, "good", "bad", "so-so")
    shown = [room.disputes.votes(row_id(row)) for row in range(60)]
    assert {tuple(vote.name for vote in votes) for votes in shown} == {("A", "B", "C")}
    orders = {tuple(vote.labels for vote in votes) for votes in shown}
    assert len(orders) == 6  # all orders of three people
    assert shown[0] == room.disputes.votes(row_id(0))  # the same however often one looks
    first = [votes[0].labels for votes in shown]
    room.restart()
    again = [room.disputes.votes(row_id(row))[0].labels for row in range(60)]
    assert again != first  # nobody can work it out from ids and names


def test_a_vote_is_shown_with_what_its_person_wrote_and_nothing_else_of_them() -> None:
    room = _Room()
    room.votes(1, "good", "bad")
    room.does("p1", event="flag", row=row_id(1))
    room.does("p2", event="comment", row=row_id(1), comment="irony?")
    shown = {vote.labels: (vote.comment, vote.flagged) for vote in room.disputes.votes(row_id(1))}
    assert shown == {("good",): ("", True), ("bad",): ("irony?", False)}


def test_more_than_twenty_six_people_have_names_too() -> None:
    asked = Assignment(product="p", problem="classification", labels=LABELS)
    disputes = Disputes(asked)
    for person in range(30):
        answers = Answers()
        event = read_event(vote(f"u{person}", row_id(1), LABELS[person % 3]))
        answers.take(Kept(event=event, seq=1, person=f"p{person}", text_sha=None, time=""))
        disputes.join(f"p{person}", answers)
    names = [each.name for each in disputes.votes(row_id(1))]
    assert len({*names}) == 30
    assert names[26] == "A2"
