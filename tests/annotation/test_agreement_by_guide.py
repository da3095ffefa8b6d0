"""Agreement under each version of the guide."""

import pytest

from pipeline.annotation.agreement_by_guide import agreement_by_guide, votes_by_guide
from pipeline.annotation.published_votes import PublishedVote
from pipeline.problem.problems import problem_named

LABELS = ("complaint", "question")


def _vote(
    row: int, person: str, guide: str | None, *labels: str, time: int = 0, **more: bool
) -> PublishedVote:
    when = f"2026-12-01T09:00:{time:02d}.000Z"
    return PublishedVote(
        id=f"{row:016x}", annotator=person, labels=labels, guide=guide, time=when, **more
    )


def test_each_version_has_the_agreement_of_its_own_votes_in_the_order_of_use() -> None:
    """Under the old rule people disagree on half of the rows, under the new one on none."""
    votes = []
    for row in range(40):
        second = LABELS[row % 2]
        votes += [
            _vote(row, "p1", "b-old", LABELS[0], time=1),
            _vote(row, "p2", "b-old", second, time=2),
        ]
    for row in range(40, 80):
        votes += [_vote(row, person, "a-new", LABELS[row % 2], time=9) for person in ("p1", "p2")]
    votes += [_vote(90, "p1", "b-old", LABELS[0]), _vote(90, "p2", "a-new", LABELS[1], time=9)]
    votes += [_vote(91, "p1", None, LABELS[0], time=30), _vote(92, "p1", "b-old", skipped=True)]
    found = agreement_by_guide(
        votes, problem=problem_named("classification"), labels=LABELS, seed=1
    )
    assert [(each.guide, each.votes) for each in found] == [("b-old", 81), ("a-new", 81), (None, 1)]
    old, new, without = [each.agreement for each in found]
    assert new.alpha == pytest.approx(1)
    assert old.alpha is not None
    assert old.alpha < 0
    assert (old.double_rows, new.double_rows, without.double_rows) == (40, 40, 0)
    assert found[0].as_json().keys() == {"guide", "votes", "double_rows", "alpha", "interval"}


def test_votes_by_version_are_rows_people_and_answers_as_tables_have_them() -> None:
    votes = [_vote(1, "p1", "a", *reversed(LABELS)), _vote(1, "p2", "a")]
    cells = votes_by_guide(votes, labels=LABELS)
    assert cells == {"a": {f"{1:016x}": {"p1": "complaint|question", "p2": ""}}}
