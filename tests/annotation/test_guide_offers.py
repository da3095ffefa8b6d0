"""Votes that were offered again: open until their people answer, also after a restart or an undo."""

from pathlib import Path

from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import read_event
from pipeline.annotation.guide_changes import GivenVote
from pipeline.annotation.guide_offers import GuideOffers
from pipeline.annotation.standing_answers import Answers
from tests.support.labelling import row_id, vote

TIME = "2026-12-01T09:00:00.000+00:00"


def _given(number: int) -> GivenVote:
    return GivenVote(
        person="p1",
        row=row_id(number),
        uid=f"u{number}",
        answer=("complaint",),
        labels=("complaint",),
        guide=None,
        noted=False,
    )


def test_an_offer_is_open_until_its_person_answers_and_again_after_an_undo(tmp_path: Path) -> None:
    answers, seen = Answers(), GuideOffers(tmp_path / "guide" / "offers.jsonl")
    log = EventLog(tmp_path / "p1.jsonl", each=answers.take)

    def add(*events: dict[str, object]) -> None:
        log.add([(read_event(event), None) for event in events], person="p1", time=TIME)

    def is_open(count: int = 9) -> list[str]:
        again = GuideOffers(tmp_path / "guide" / "offers.jsonl")
        assert again.open("p1", answers, count) == seen.open("p1", answers, count)
        return seen.open("p1", answers, count)

    add(*(vote(f"u{n}", row_id(n), "complaint") for n in range(4)))
    seen.add(map(_given, (2, 0, 3)), version="v", who="p2", time=TIME)
    assert is_open() == [row_id(2), row_id(0), row_id(3)]
    assert is_open(1) == [row_id(2)]
    assert seen.open("p2", answers, 9) == []
    add(vote("again", row_id(2), "complaint"))  # the label that it had
    assert is_open() == [row_id(0), row_id(3)]
    add({"uid": "z", "event": "undo", "row": row_id(2), "undoes": "again"})
    assert is_open() == [row_id(2), row_id(0), row_id(3)]
    add({"uid": "y", "event": "undo", "row": row_id(0), "undoes": "u0"})
    add({"uid": "s", "event": "skip", "row": row_id(3)})
    assert is_open() == [row_id(2)]
    log.close()
