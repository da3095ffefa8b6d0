"""Publishes the people's answers: the last answer of each person to each row of the data, and the decisions on disputes."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.annotation.agreement_by_guide import GuideAgreement, agreement_by_guide
from pipeline.annotation.assignment import Assignment
from pipeline.annotation.event_log import read_log
from pipeline.annotation.events import Kept
from pipeline.annotation.people import People
from pipeline.annotation.published_decisions import DecidedRow, decisions_of
from pipeline.annotation.published_votes import (
    MANIFEST,
    VOTES,
    PublishedVote,
    owner_of,
    write_votes,
)
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import log_file
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file, write_json
from pipeline.data.adjudications import FILE, Adjudication, write_adjudications
from pipeline.data.agreement import Agreement, agreement
from pipeline.data.disputed_votes import disputed_rows
from pipeline.metrics.chance_agreement import Measures, overall_agreement
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named

NO_ROW = "the row is not in the data"
NO_LABEL = "the label is not the product's"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The answers that are published, and how many are not.

    Attributes:
        votes: the answers, by row and person, skips among them.
        people: published name → labels given.
        agreement: of the labels, in Krippendorff's alpha, before adjudication.
        measures: the same in other measures, by name (`COEFFICIENTS`); empty for numbers.
        by_guide: the same for each version of the guide, in the order in which they were first used.
        decisions: the adjudications, by row.
        disputed: rows about which people differ and nobody has decided.
        left_out: why → how many answers are not published.
        renamed: answers to a row whose id is another today, found by its text.
    """

    votes: tuple[PublishedVote, ...]
    people: dict[str, int]
    agreement: Agreement
    by_guide: tuple[GuideAgreement, ...]
    decisions: tuple[Adjudication, ...]
    disputed: int
    measures: Measures
    left_out: dict[str, int]
    renamed: int

    @property
    def skips(self) -> int:
        """How many of the answers are skips."""
        return sum(vote.skipped for vote in self.votes)

    def as_json(self) -> dict[str, Any]:
        """The counts and figures, without the votes."""
        found = self.agreement
        return {
            "rows": len({vote.id for vote in self.votes if not vote.skipped}),
            "votes": len(self.votes) - self.skips,
            "skips": self.skips,
            "people": self.people,
            "double_rows": found.double_rows,
            "alpha": found.alpha,
            "interval": None if found.interval is None else [*found.interval],
            "by_guide": [each.as_json() for each in self.by_guide],
            "adjudicated": len(self.decisions),
            "disputed": self.disputed,
            **self._measured("ac1", "ac1"),
            **self._measured("kappa", "fleiss_kappa"),
            "left_out": self.left_out,
            "renamed": self.renamed,
        }

    def _measured(self, name: str, measure: str) -> dict[str, Any]:
        found = self.measures.get(measure)
        return {
            name: None if found is None else found.value,
            f"{name}_interval": None if found is None else found.as_list(),
        }


def publication(
    folder: Path, *, rows: RowFile, people: People, assignment: Assignment, seed: int
) -> Publication:
    """Returns what the people's logs come to; a server may be writing them meanwhile.

    Args:
        folder: as of `Store`.
        seed: of the interval's draws.

    Raises:
        DataError: a log is damaged.
    """
    votes: list[PublishedVote] = []
    decided: list[DecidedRow] = []
    left_out: Counter[str] = Counter()
    places = _Places(rows)
    for person in people:
        answers = Answers()
        for kept in read_log(log_file(folder, person.published)):
            answers.take(kept)
        for kept in answers.latest():
            row = places.id_of(kept)
            if row is None:
                left_out[NO_ROW] += 1
            elif assignment.refusal(kept.event, person):
                left_out[NO_LABEL] += 1
            else:
                votes.append(_vote(kept, row, person.published, answers))
        for kept in answers.every_decision():
            # Who may decide is asked when it happens: a role that is taken away later changes nothing.
            if (row := places.id_of(kept)) is None:
                left_out[NO_ROW] += 1
            elif assignment.refusal(kept.event, replace(person, role="adjudicator")):
                left_out[NO_LABEL] += 1
            else:
                decided.append(DecidedRow(row, kept))
    votes.sort(key=lambda vote: (vote.id, vote.annotator))
    labels = _labels_of(votes, assignment)
    agreed, measures = _agreement(labels, assignment, seed)
    decisions = decisions_of(decided, votes, assignment)
    disputed = disputed_rows(
        labels, problem=problem_named(assignment.problem), labels=assignment.labels
    )
    given = Counter(vote.annotator for vote in votes if not vote.skipped)
    return Publication(
        votes=tuple(votes),
        people=dict(sorted(given.items())),
        agreement=agreed,
        measures=measures,
        by_guide=tuple(
            agreement_by_guide(
                votes,
                problem=problem_named(assignment.problem),
                labels=assignment.labels,
                seed=seed,
            )
        ),
        decisions=tuple(decisions),
        disputed=len(disputed - {decision.id for decision in decisions}),
        left_out=dict(sorted(left_out.items())),
        renamed=places.renamed,
    )


def publish(
    found: Publication,
    annotations: Path,
    *,
    product: str,
    guide: Callable[[Path], dict[str, Any] | None] = lambda annotations: None,
) -> dict[str, Any]:
    """Writes `votes.parquet`, `adjudicated.parquet` and `manifest.json`, equal bytes for equal answers; returns the manifest.

    Args:
        guide: writes the versions of the guide into the folder; what it returns is in the manifest.

    Raises:
        DataError: the votes that are there are those of another product.
    """
    _refuse_others(annotations, product)
    write_votes(annotations, found.votes)
    write_adjudications(annotations, found.decisions)
    digest = sha256_file(annotations / f"{VOTES}.parquet")
    manifest = {
        "product": product,
        **found.as_json(),
        "guide": guide(annotations),
        "sha256": digest,
    }
    write_json(annotations / MANIFEST, manifest)
    return manifest


def _refuse_others(annotations: Path, product: str) -> None:
    owner = owner_of(annotations)
    if owner not in (None, product):
        raise DataError(
            f"{annotations.name}/{VOTES}.parquet holds the labels of the product {owner}",
            expected=f"no published labels, or those of {product}",
            next_step=f"move {VOTES}.parquet, {FILE}, {MANIFEST} and skipped/ out of {annotations.name}/"
            f" first; nobody's answer is lost, for `modelyard labels` of {owner} writes them again",
        )


class _Places:
    """Finds the row that an answer is about, also where its source was renamed since."""

    def __init__(self, rows: RowFile) -> None:
        self._rows = rows
        self._by_text: dict[str, str] | None = None
        self.renamed = 0

    def id_of(self, kept: Kept) -> str | None:
        """The id of the row in the data of today; None where it is in them no more."""
        if self._rows.place(kept.event.row) is not None:
            return kept.event.row
        if self._by_text is None:  # a second for a million rows, and seldom needed
            self._by_text = {row.text_sha: row.id for row in self._all()}
        found = self._by_text.get(kept.text_sha or "")
        self.renamed += found is not None
        return found

    def _all(self) -> Iterator[Any]:
        return (self._rows.row(place) for place in range(len(self._rows)))


def _vote(kept: Kept, row: str, annotator: str, answers: Answers) -> PublishedVote:
    event = kept.event
    return PublishedVote(
        id=row,
        annotator=annotator,
        labels=event.labels,
        number=event.number,
        skipped=event.event == "skip",
        comment=answers.comment(event.row) or None,
        time=kept.time,
        seconds=event.seconds,
        arm=event.arm,
        why=event.why,
        guide=event.guide,
        text_sha=kept.text_sha,
    )


def _labels_of(votes: list[PublishedVote], assignment: Assignment) -> dict[str, dict[str, str]]:
    """Row → person → stored label, of all votes that are no skips."""
    rows: dict[str, dict[str, str]] = {}
    for vote in votes:
        if not vote.skipped:
            label = assignment.stored(vote.labels, vote.number)
            rows.setdefault(vote.id, {})[vote.annotator] = label
    return rows


def _agreement(
    rows: dict[str, dict[str, str]], assignment: Assignment, seed: int
) -> tuple[Agreement, Measures]:
    """How far people agree, in the measure of the gate and, of labels, in others.

    Args:
        rows: as `_labels_of` gives them.
    """
    problem, labels = problem_named(assignment.problem), assignment.labels
    if not problem.has_probabilities or not rows:
        every = [[*given.values()] for given in rows.values()]
        return agreement(every, problem=problem, labels=labels, seed=seed), {}
    found = overall_agreement(VoteTable.of(rows, problem=problem, labels=labels), labels, seed=seed)
    double = sum(len(given) > 1 for given in rows.values())
    alpha = found["alpha"]
    ends = None if alpha is None else (alpha.low, alpha.high)
    return Agreement(double, None if alpha is None else alpha.value, ends), found
