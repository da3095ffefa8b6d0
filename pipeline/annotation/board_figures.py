"""Computes what the board shows of the labels so far: agreement, confusions, people, pace, and the work that is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.board_votes import BoardVotes
from pipeline.annotation.events import Kept
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.pace import cost_left, over_time, pace
from pipeline.data.agreement import agreement
from pipeline.metrics.agreement_details import AgreementDetails, agreement_details
from pipeline.metrics.chance_agreement import COEFFICIENTS, overall_agreement
from pipeline.metrics.confusion_matrix import confusion_matrix, rows_of_both
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named

MOST_VERSIONS = 6
"""Guide versions whose agreement is measured, the latest ones."""
MOST_LABELS = 30
"""Labels of a product up to which the matrix of confusions is shown."""
MOST_PAIRS = 100
"""Pairs of people among whom the board lets one choose."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Figures of the store and the build that the board is computed from, beside the answers.

    Attributes:
        labelled: rows that have a label, of their source or of people.
        waiting: rows of the queue that nobody has labelled.
        double_share: share of the rows that two people label.
        goal: how many rows need a label; None where that is not known.
        suggestions: what suggestions did, shown against hidden; None where none were made.
        seed: of the intervals' draws.
    """

    assignment: Assignment
    labelled: int
    waiting: int
    double_share: float
    goal: LabelGoal | None = None
    suggestions: Mapping[str, Any] | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Board:
    """Figures at one moment, with what their rows are found in.

    Attributes:
        figures: as `GET /api/board` answers.
        table: the votes as numbers; None where answers are numbers, or there are none.
    """

    figures: Mapping[str, Any]
    votes: BoardVotes
    table: VoteTable | None = field(repr=False)

    def matrix(self, people: tuple[str, str] | None) -> list[list[int]] | None:
        """How often two votes on a row have each two labels (`confusion_matrix`); None where nothing tells it."""
        labels = len(self.figures["labels"])
        if self.table is None or labels > MOST_LABELS:
            return None
        if people is not None and not {*people} <= {*self.table.names}:
            return None
        found: list[list[int]] = confusion_matrix(self.table, labels=labels, people=people).tolist()
        return found


def board_of(votes: BoardVotes, situation: Situation) -> Board:
    """The board of the answers."""
    asked, kept = situation.assignment, votes.kept_votes()
    details = agreement_details(
        votes.stored, problem=problem_named(asked.problem), labels=asked.labels, seed=situation.seed
    )
    agreed = _agreed(votes, details, situation)
    figures = {
        "labels": [*asked.labels],
        "problem": asked.problem,
        "rows": votes.counts(),
        "votes": len(kept),
        "labelled": situation.labelled,
        "waiting": situation.waiting,
        "left_out": votes.left_out,
        **_work(kept, situation),
        "why": dict(Counter(each.event.why or "" for each in kept).most_common()),
        **agreed,
        "by_guide": _by_guide(votes, details.table, situation, whole=agreed["agreement"]),
        "people": _people(votes, details),
        "pairs": [pair.as_json() for pair in details.findings.pairs],
        "shared": _shared(details.table),
        "confusions": [each.as_json() for each in details.findings.confusions],
        "suggestions": situation.suggestions,
    }
    return Board(figures=figures, votes=votes, table=details.table)


def _work(kept: Sequence[Kept], situation: Situation) -> dict[str, Any]:
    """Labels over time, the pace of all together, what is needed, and the work until then."""
    found, goal = pace(kept), situation.goal
    cost = cost_left(goal, found, labelled=situation.labelled, double_share=situation.double_share)
    return {
        "over_time": over_time(kept),
        "pace": None if found is None else asdict(found),
        "goal": None if goal is None else goal.as_json() | {"labelled": situation.labelled},
        "cost": None if cost is None else asdict(cost),
    }


def _agreed(votes: BoardVotes, details: AgreementDetails, situation: Situation) -> dict[str, Any]:
    """Agreement on all labels and on each; of numbers Krippendorff's alpha alone."""
    if details.findings.coefficients is not None:
        each = {label: found.as_json() for label, found in details.findings.by_label.items()}
        return {"agreement": details.findings.coefficients.as_json(), "by_label": each}
    rows = [[*given.values()] for given in votes.stored.values()]
    return {"agreement": _alpha_alone(rows, situation), "by_label": {}}


def _alpha_alone(rows: Sequence[Sequence[str]], situation: Situation) -> dict[str, Any]:
    asked = situation.assignment
    found = agreement(
        rows, problem=problem_named(asked.problem), labels=asked.labels, seed=situation.seed
    )
    alpha = None
    if found.interval is not None:
        alpha = {"value": found.alpha, "interval": [*found.interval]}
    return dict.fromkeys(COEFFICIENTS) | {"alpha": alpha}


def _by_guide(
    votes: BoardVotes, table: VoteTable | None, situation: Situation, *, whole: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Agreement of the votes given under each version of the guide, the latest version last.

    Args:
        whole: agreement of all votes.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for kept in votes.kept_votes():
        version = kept.event.guide or ""
        counts[version] += 1
        first[version] = min(first.get(version, kept.time), kept.time)
    latest = sorted(first, key=lambda version: first[version])[-MOST_VERSIONS:]
    alone = len(first) == 1
    return [
        {
            "guide": version,
            "since": first[version],
            "votes": counts[version],
            "agreement": whole if alone else _under(version, votes, table, situation),
        }
        for version in latest
    ]


def _under(
    version: str, votes: BoardVotes, table: VoteTable | None, situation: Situation
) -> dict[str, Any]:
    """How far the votes agree that were given under one version of the guide."""
    if table is None:
        rows = [_stored_under(version, votes, row) for row in votes.votes]
        return _alpha_alone(rows, situation)
    given = [
        votes.votes[row][name].event.guide or ""
        for row in table.row_names
        for name in sorted(votes.votes[row])  # in the order of the table
    ]
    found = overall_agreement(
        table.only(np.array(given) == version), situation.assignment.labels, seed=situation.seed
    )
    return {
        name: None if each is None else {"value": each.value, "interval": each.as_list()}
        for name, each in found.items()
    }


def _stored_under(version: str, votes: BoardVotes, row: str) -> list[str]:
    return [
        votes.stored[row][name]
        for name, kept in votes.votes[row].items()
        if (kept.event.guide or "") == version
    ]


def _people(votes: BoardVotes, details: AgreementDetails) -> list[dict[str, Any]]:
    """Everybody who labelled, with the reliability where it is known; no pace, which is the person's own."""
    if details.findings.people:
        return [person.as_json() for person in details.findings.people]
    given = Counter(name for row in votes.votes.values() for name in row)
    shared = Counter(name for row in votes.votes.values() if len(row) > 1 for name in row)
    return [
        {
            "name": name,
            "votes": given[name],
            "shared": shared[name],
            "reliability": None,
            "is_spammer": False,
        }
        for name in sorted(given)
    ]


def _shared(table: VoteTable | None) -> list[dict[str, Any]]:
    """Pairs of people who labelled the same rows, those with most such rows first."""
    if table is None:
        return []
    found = rows_of_both(table)[:MOST_PAIRS]
    return [{"first": first, "second": second, "rows": rows} for first, second, rows in found]
