"""Makes the published decisions on disputes: the last one on each row, with the shares of the people who say each label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.events import Kept
from pipeline.annotation.published_votes import PublishedVote, as_cell, utc
from pipeline.data.adjudications import CAUSES, Adjudication


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """An adjudication, and the id that its row has in the data of today."""

    row: str
    kept: Kept


def decisions_of(
    decided: Iterable[DecidedRow], votes: Iterable[PublishedVote], assignment: Assignment
) -> list[Adjudication]:
    """The last decision on each row, by row; of two at one time that of the later name."""
    last: dict[str, Kept] = {}
    for one in sorted(decided, key=lambda one: (one.kept.time, one.kept.person)):
        last[one.row] = one.kept
    given: dict[str, dict[str, tuple[str, ...]]] = {}
    for vote in votes:
        if vote.id in last and not vote.skipped:
            given.setdefault(vote.id, {})[vote.annotator] = vote.labels
    return [
        _decision(row, kept, given.get(row, {}), assignment) for row, kept in sorted(last.items())
    ]


def _decision(
    row: str, kept: Kept, votes: dict[str, tuple[str, ...]], assignment: Assignment
) -> Adjudication:
    event = kept.event
    # A decision stands in place of the adjudicator's own vote, where there is one.
    people = [*(votes | {kept.person: event.labels}).values()]
    return Adjudication(
        id=row,
        label=as_cell(event.labels, event.number),
        number=event.number,
        why=next(cause for cause in CAUSES if cause == event.why),
        shares=_shares(people, assignment.labels) if event.number is None else {},
        comment=event.comment or None,
        guide=event.guide,
        time=utc(kept.time) or kept.time,
        person=kept.person,
        text_sha=kept.text_sha,
    )


def _shares(people: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Label → share of the people who gave it, in the order of the product's labels; only of labels that somebody gave."""
    counts = {label: sum(label in given for given in people) for label in labels}
    return {label: count / len(people) for label, count in counts.items() if count}
