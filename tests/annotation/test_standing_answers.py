"""What a person's events amount to."""

from pipeline.annotation.events import Event, Kept, Kind
from pipeline.annotation.standing_answers import Answers


class _Person:
    """Gives events and keeps what they amount to."""

    def __init__(self) -> None:
        self.answers, self._count = Answers(), 0

    def does(
        self, event: Kind, row: str, *labels: str, undoes: str | None = None, comment: str = ""
    ) -> str:
        self._count += 1
        uid = f"u{self._count}"
        given = Event(
            uid=uid, event=event, row=row, labels=labels, undoes=undoes, comment=comment or None
        )
        self.answers.take(
            Kept(event=given, seq=self._count, person="p1", text_sha=None, time="2026-12-01")
        )
        return uid

    def label(self, row: str) -> tuple[str, ...] | None:
        last = self.answers.last(row)
        return None if last is None else last.event.labels


def test_the_last_label_of_a_row_counts() -> None:
    person = _Person()
    person.does("vote", "a", "good")
    person.does("vote", "a", "bad")
    assert person.label("a") == ("bad",)
    assert len(person.answers) == 1


def test_an_undo_brings_the_label_before_back() -> None:
    person = _Person()
    person.does("vote", "a", "good")
    second = person.does("vote", "a", "bad")
    person.does("undo", "a", undoes=second)
    assert person.label("a") == ("good",)


def test_undos_of_any_depth_leave_the_row_unanswered() -> None:
    person = _Person()
    events = [person.does("vote", row, "good") for row in "abcdef"]
    for uid, row in zip(reversed(events), "fedcba", strict=True):
        person.does("undo", row, undoes=uid)
    assert [*person.answers] == []
    assert "a" not in person.answers


def test_an_undo_of_what_is_unknown_or_undone_changes_nothing() -> None:
    person = _Person()
    first = person.does("vote", "a", "good")
    second = person.does("vote", "a", "bad")
    for undone in (second, second, "nobody's"):
        person.does("undo", "a", undoes=undone)
    assert person.label("a") == ("good",)
    person.does("undo", "a", undoes=first)
    assert person.label("a") is None


def test_comments_and_flags_are_no_answers() -> None:
    person = _Person()
    flag = person.does("flag", "a")
    person.does("comment", "a", comment="first")
    person.does("comment", "a", comment="second")
    assert (person.answers.flag("a"), person.answers.comment("a")) == (flag, "second")
    assert "a" not in person.answers
    person.does("undo", "a", undoes=flag)
    assert person.answers.flag("a") is None


def test_the_latest_answers_come_first() -> None:
    person = _Person()
    for row in ("a", "b", "a"):
        person.does("vote", row, "good")
    person.does("skip", "c")
    assert [kept.event.row for kept in person.answers.latest()] == ["c", "a", "b"]
