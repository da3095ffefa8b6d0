"""Which votes a change of the guide puts in question: exactly these, dearest first."""

from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.annotation.guide_changes import (
    Change,
    GivenVote,
    change_of,
    changed_words,
    line_diff,
    nearness,
    words,
)

LABELS = ("complaint", "question")
BEFORE = "## complaint\n\nSomething went wrong.\n\n## question\n\nThe writer asks.\n"
AFTER = BEFORE.replace("wrong.", "wrong. A late bus is a complaint, too.")
TEXTS = {
    "bus": "The bus was late again.",
    "bus2": "Is a late bus free of charge?",
    "bin": "The bin is full.",
    "flagged": "Nobody answers.",
    "disputed": "And who pays for it?",
    "open": "When do you open?",
}


def _vote(row: str, label: str, person: str = "p1", **more: Any) -> GivenVote:
    given: dict[str, Any] = {
        "guide": "before",
        "noted": False,
        "labels": (label,),
        "answer": (label,),
    }
    return GivenVote(person=person, row=row, uid=f"{person}-{row}", **given | more)


def _change(*votes: GivenVote, before: str = BEFORE, after: str = AFTER, **versions: str) -> Change:
    known = {"before": before, "after": after, **versions}
    return change_of(
        votes,
        before=before,
        after=after,
        labels=LABELS,
        text_of_version=lambda name: known.get(name or "", ""),
        text_of_row=TEXTS.get,
    )


def _near(change: Change) -> list[tuple[str, str, str]]:
    return [(near.vote.person, near.vote.row, near.reason) for near in change.near]


VOTES = (
    _vote("bus", "complaint"),
    _vote("bus2", "question"),
    _vote("bin", "complaint"),
    _vote("flagged", "complaint", noted=True),
    _vote("disputed", "complaint"),
    _vote("disputed", "question", "p2"),
    _vote("open", "question", noted=True),
)


def test_a_change_offers_exactly_the_votes_near_it_dearest_first() -> None:
    change = _change(*VOTES)
    assert change.labels == ("complaint",)
    assert _near(change) == [
        ("p1", "flagged", "noted"),
        ("p1", "disputed", "disagreement"),
        ("p1", "bus", "words"),
        ("p1", "bus2", "words"),
    ]
    assert change.old == 5  # four complaints, and a question about a late bus


def test_the_order_of_the_votes_changes_nothing() -> None:
    assert _change(*reversed(VOTES)) == _change(*VOTES)


@pytest.mark.parametrize(
    ("guide", "is_old"),
    [("before", True), ("after", False), ("same", False), ("older", True), (None, True), ("?", True)],
    ids=["the version before", "the new one", "one that says the same", "an older one", "no guide", "unknown"],
)  # fmt: skip
def test_a_vote_is_old_where_its_own_version_said_something_else(
    guide: str | None, is_old: bool
) -> None:
    change = _change(
        _vote("bus", "complaint", guide=guide),
        same=AFTER.replace("The writer asks.", "Anything with a question mark."),
        older="## complaint\n\nAnger.\n",
    )
    assert (change.old, len(change.near)) == (int(is_old), int(is_old))


def test_votes_on_rows_that_are_gone_are_left_out() -> None:
    change = _change(_vote("gone", "complaint", noted=True))
    assert (change.old, change.near) == (0, ())


def test_a_vote_of_several_labels_is_old_where_one_of_them_is_changed() -> None:
    both = _vote("bin", "complaint", answer=LABELS, labels=LABELS, noted=True)
    none = _vote("open", "", answer=(), labels=(), noted=True)
    assert _near(_change(both, none)) == [("p1", "bin", "noted")]


def test_people_disagree_where_their_answers_differ_in_any_order_or_number() -> None:
    one = _vote("bin", "", answer=("complaint", "question"), labels=LABELS)
    other = _vote("bin", "", "p2", answer=("question", "complaint"), labels=LABELS)
    assert _near(_change(one, other)) == []
    numbers = [
        _vote("bin", "", person, answer=number, labels=("complaint",))
        for person, number in (("p1", 3.0), ("p2", 4.0))
    ]
    assert [reason for _, _, reason in _near(_change(*numbers))] == ["disagreement"] * 2


def test_without_a_change_no_vote_is_old() -> None:
    change = _change(*VOTES, after=BEFORE)
    assert (change.labels, change.old, change.near) == ((), 0, ())


def test_korean_texts_are_near_whatever_endings_their_words_have() -> None:
    found = nearness(
        {"near": "환불이 아직도 안 됐어요", "far": "언제 여나요"},
        changed_words("", "환불을 요구하면"),
    )
    assert found["near"] > 0.25
    assert found["far"] == 0
    assert words("환불을 No 12") == ["환불", "불을", "no", "12"]


def test_nearness_is_the_cosine_of_tf_idf_vectors() -> None:
    """Against scikit-learn, which the server does not import."""
    texts = {str(n): " ".join(f"w{n * k % 7}" for k in range(1, 9)) for n in range(12)}
    wanted = ["w1", "w3", "w5", "w8"]
    vectorizer = TfidfVectorizer(vocabulary=wanted)
    vectors = vectorizer.fit_transform(texts.values())
    change = vectorizer.idf_ / (vectorizer.idf_**2).sum() ** 0.5
    assert [*nearness(texts, wanted).values()] == pytest.approx((vectors @ change).tolist())


def test_words_that_say_little_count_only_where_a_change_has_no_others() -> None:
    texts = {"it": "This is it.", "bus": "A bus."}
    assert nearness(texts, {"is", "bus"})["it"] == 0
    assert nearness(texts, {"is"})["it"] == pytest.approx(1)
    assert nearness(texts, set()) == {"it": 0, "bus": 0}


def test_nearness_does_not_depend_on_the_length_of_a_text() -> None:
    long = "a film with many words about nothing at all " * 20
    found = nearness({"short": "late bus", "long": f"{long} late bus"}, {"late", "bus"})
    assert found["short"] == pytest.approx(found["long"]) == pytest.approx(1, abs=1e-6)


def test_the_diff_has_the_lines_around_and_gaps_between() -> None:
    before = "\n".join("abcdefghijkl")
    after = before.replace("b", "B").replace("k\n", "")
    assert line_diff(before, after) == [
        *[("same", "a"), ("removed", "b"), ("added", "B"), ("same", "c"), ("same", "d")],
        ("gap", ""),
        *[("same", "i"), ("same", "j"), ("removed", "k"), ("same", "l")],
    ]
    assert line_diff("a\r\nb\r\n", "a\nb\n") == []
