"""Rows that one more person is asked about: who gets them, and when they are done."""

from pipeline.annotation.asked_again import LEASE_SECONDS, AskedAgain


def test_who_is_barred_is_not_given_the_row() -> None:
    again = AskedAgain()
    again.put("a", "error", barred={"p1"}, done=False)
    assert (again.take("p1", 5), again.take("p2", 5)) == ([], ["a"])


def test_one_person_has_it_at_a_time_until_the_lease_ends() -> None:
    now = [0.0]
    again = AskedAgain(clock=lambda: now[0])
    again.put("a", "error", barred=(), done=False)
    assert again.take("p1", 5) == ["a"]
    assert again.take("p2", 5) == []
    assert again.take("p1", 5) == ["a"]
    now[0] = LEASE_SECONDS
    assert again.take("p2", 5) == ["a"]


def test_a_row_is_done_with_its_label_and_open_again_where_that_is_taken_back() -> None:
    again = AskedAgain()
    again.put("a", "control", barred=(), done=False)
    assert (again.open, again.why("a")) == (1, "control")
    again.put("a", "control", barred={"p2"}, done=True)
    assert (again.open, again.why("a"), again.take("p1", 5)) == (0, None, [])
    again.put("a", "control", barred=(), done=False)
    assert again.take("p1", 5) == ["a"]


def test_a_row_that_nobody_asks_about_any_more_is_gone() -> None:
    again = AskedAgain()
    again.put("a", "error", barred=(), done=False)
    again.put("a", None, barred=(), done=False)
    assert ("a" in again, again.take("p1", 5)) == (False, [])


def test_rows_that_a_person_has_come_before_others_and_no_more_than_asked_for() -> None:
    again = AskedAgain()
    for row in "abc":
        again.put(row, "error", barred={"p2"} if row == "a" else (), done=False)
    assert again.take("p2", 1) == ["b"]
    assert again.take("p1", 5) == ["a", "c"]
    assert again.take("p2", 5) == ["b"]
