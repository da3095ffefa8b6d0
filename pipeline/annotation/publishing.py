"""Publishes the people's answers: the last answer of each person to each row of the data."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.event_log import read_log
from pipeline.annotation.events import Kept
from pipeline.annotation.people import People
from pipeline.annotation.published_votes import VOTES, PublishedVote, write_votes
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import log_file
from pipeline.core.errors import DataError
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.data.agreement import Agreement, agreement
from pipeline.problem.labelling import BETWEEN_LABELS
from pipeline.problem.problems import problem_named

MANIFEST = "manifest.json"
NO_ROW = "the row is not in the data"
NO_LABEL = "the label is not the product's"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The answers that are published, and how many are not.

    Attributes:
        votes: the answers, by row and person, skips among them.
        people: published name → labels given.
        agreement: of the labels.
        left_out: why → how many answers are not published.
        renamed: answers to a row whose id is another today, found by its text.
    """

    votes: tuple[PublishedVote, ...]
    people: dict[str, int]
    agreement: Agreement
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
            "left_out": self.left_out,
            "renamed": self.renamed,
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
    votes.sort(key=lambda vote: (vote.id, vote.annotator))
    given = Counter(vote.annotator for vote in votes if not vote.skipped)
    return Publication(
        votes=tuple(votes),
        people=dict(sorted(given.items())),
        agreement=_agreement(votes, assignment, seed),
        left_out=dict(sorted(left_out.items())),
        renamed=places.renamed,
    )


def publish(found: Publication, annotations: Path, *, product: str) -> dict[str, Any]:
    """Writes `votes.parquet` and `manifest.json`, equal bytes for equal votes; returns the manifest.

    Raises:
        DataError: the votes that are there are those of another product.
    """
    _refuse_others(annotations, product)
    write_votes(annotations, found.votes)
    digest = sha256_file(annotations / f"{VOTES}.parquet")
    manifest = {"product": product, **found.as_json(), "sha256": digest}
    write_json(annotations / MANIFEST, manifest)
    return manifest


def _refuse_others(annotations: Path, product: str) -> None:
    manifest = annotations / MANIFEST
    owner = read_json(manifest).get("product", product) if manifest.exists() else product
    if owner != product:
        raise DataError(
            f"{annotations.name}/{VOTES}.parquet holds the labels of the product {owner}",
            expected=f"no published labels, or those of {product}",
            next_step=f"move {VOTES}.parquet, {MANIFEST} and skipped/ out of {annotations.name}/ first; nobody's"
            f" answer is lost, for `modelyard labels` of {owner} writes them again",
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


def _agreement(votes: list[PublishedVote], assignment: Assignment, seed: int) -> Agreement:
    rows: dict[str, list[str]] = {}
    for vote in votes:
        if not vote.skipped:
            rows.setdefault(vote.id, []).append(_cell(vote, assignment))
    return agreement(
        [*rows.values()],
        problem=problem_named(assignment.problem),
        labels=assignment.labels,
        seed=seed,
    )


def _cell(vote: PublishedVote, assignment: Assignment) -> str:
    """The answer in the form that tables use."""
    if vote.number is not None:
        return repr(float(vote.number))
    return BETWEEN_LABELS.join(label for label in assignment.labels if label in vote.labels)
