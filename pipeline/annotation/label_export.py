"""Writes votes for another annotation tool, reads the file back, and says what the format could not hold."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.annotation.asked_rows import find_rows, rows_without
from pipeline.annotation.foreign_votes import AnsweredRow, Question, stored_answer
from pipeline.annotation.label_formats import LabelFormat
from pipeline.annotation.label_import import take_labels
from pipeline.annotation.label_studio import labelling_configuration
from pipeline.annotation.published_votes import (
    PublishedVote,
    as_utc,
    last_words,
    published_names,
    read_votes,
)
from pipeline.annotation.row_file import LabellingRow, RowFile
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path, write_json, write_text
from pipeline.data.annotations import last_votes
from pipeline.data.row_ids import KnownIds

LOST = "lost.json"
"""Name of the file, beside an exported one, that says what the export could not hold."""
_EXAMPLES = 5
_ANSWER = ("labels", "number", "skipped")
_NO_ROW, _GONE = "votes on rows that are not in the data", "votes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Something that a format could not hold.

    Attributes:
        what: `votes`, or the field of a vote that is missing or another one.
        rows: how many rows it concerns.
        examples: ids of some of them.
    """

    what: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """Counts of an export, and its losses.

    Attributes:
        votes: how many answers, skips among them.
        rows: how many rows, with or without an answer.
        lost: what a reader of the file cannot find in it.
        files: names of the files written.
    """

    votes: int
    rows: int
    lost: Sequence[Loss]
    files: Sequence[str]


def export_labels(
    path: Path,
    *,
    format: LabelFormat,
    question: Question,
    rows: RowFile,
    folder: Path,
    unlabelled: int = 0,
) -> Exported:
    """Writes the votes that `label` reads, and skips, with their rows; and what was lost into lost.json beside.

    For Label Studio the labelling configuration is written, too, under the name of the file with `.xml`.

    Args:
        rows: those of the data.
        folder: that of the annotations.
        unlabelled: how many rows without any label to add, chosen at random.

    Raises:
        DataError: there is nothing to write.
    """
    known = KnownIds(rows.ids)
    votes = all_votes(folder, question, known)
    ids = {vote.id for vote in votes}
    answered = answered_rows(votes, find_rows(rows, ids=ids).by_id)
    more = [AnsweredRow(row=row) for row in rows_without(rows, ids=ids, most=unlabelled)]
    if not answered and not more:
        raise _nothing(len(votes))
    with atomic_path(path) as temporary:
        format.write(temporary, [*answered, *more], question)
    files = [path.name, LOST]
    if format.name == "label-studio":
        files.append(path.with_suffix(".xml").name)
        write_text(path.with_suffix(".xml"), labelling_configuration(question))
    back = take_labels(path, format=format, question=question, rows=rows).votes
    lost = losses(votes, back, known=known)
    count = sum(len(row.votes) for row in answered)
    found = {
        "file": path.name,
        "format": format.name,
        "votes": count,
        "rows": len(answered) + len(more),
    }
    write_json(path.with_name(LOST), {**found, "lost": [asdict(loss) for loss in lost]})
    return Exported(votes=count, rows=len(answered) + len(more), lost=lost, files=files)


def all_votes(folder: Path, question: Question, known: Container[str]) -> list[PublishedVote]:
    """The votes that `label` reads, with what published files say of them, and the skips of who gave no vote.

    Args:
        known: ids of the rows of the data.

    Raises:
        DataError: as `pipeline.data.annotations.read_annotations`.
    """
    published = [vote for name in published_names(folder) for vote in read_votes(folder, name=name)]
    details = {_told(vote): vote for vote in published}
    votes = []
    for vote in last_votes(folder, problem=question.problem, labels=question.labels, known=known):
        labels, number = stored_answer(vote.label, question)
        time = None if vote.time is None else as_utc(vote.time)
        plain = PublishedVote(
            id=vote.row, annotator=vote.annotator, labels=labels, number=number, time=time
        )
        votes.append(details.get(_told(plain), plain))
    voted = {(vote.id, vote.annotator) for vote in votes}
    skips = [
        vote for vote in details.values() if vote.skipped and (vote.id, vote.annotator) not in voted
    ]
    return last_words([*votes, *skips])


def answered_rows(
    votes: Iterable[PublishedVote], rows: dict[str, LabellingRow]
) -> list[AnsweredRow]:
    """The rows with their votes, by id; votes on other rows are left out."""
    given: dict[str, list[PublishedVote]] = {}
    for vote in votes:
        given.setdefault(vote.id, []).append(vote)
    return [
        AnsweredRow(row=rows[row], votes=tuple(votes))
        for row, votes in sorted(given.items())
        if row in rows
    ]


def losses(
    votes: Sequence[PublishedVote], back: Sequence[PublishedVote], *, known: Container[str]
) -> list[Loss]:
    """How votes differ from those that were read back.

    Args:
        known: ids of the rows of the data; votes on others are never written.
    """
    found = {(vote.id, vote.annotator): vote for vote in back}
    lost: dict[str, list[str]] = {}
    for vote in votes:
        again = found.get((vote.id, vote.annotator))
        if again is None:
            lost.setdefault(_GONE if vote.id in known else _NO_ROW, []).append(vote.id)
            continue
        for name in _different(vote, again):
            lost.setdefault(name, []).append(vote.id)
    counted = {what: sorted({*ids}) for what, ids in sorted(lost.items())}
    return [
        Loss(what=what, rows=len(ids), examples=tuple(ids[:_EXAMPLES]))
        for what, ids in counted.items()
    ]


def described_export(exported: Exported) -> list[str]:
    """Sentences on what was written, and what the format could not hold."""
    said = [f"answers: {exported.votes:,}, rows: {exported.rows:,}, in {', '.join(exported.files)}"]
    for loss in exported.lost:
        some = ", ".join(loss.examples) + ", …" * (loss.rows > len(loss.examples))
        said.append(f"not in the file: {loss.what} (rows: {loss.rows:,}, {some})")
    return said


def _different(vote: PublishedVote, again: PublishedVote) -> list[str]:
    # The text is the row's; a vote from a sheet does not say on which text it was given.
    again = again if vote.text_sha else replace(again, text_sha=None)
    ours, theirs = asdict(vote), asdict(again)
    return [name for name in ours if ours[name] != theirs[name]]


def _told(vote: PublishedVote) -> tuple[Any, ...]:
    """The fields in which a vote in a file and its published form agree."""
    return (vote.id, vote.annotator, vote.time, *(getattr(vote, name) for name in _ANSWER))


def _nothing(votes: int) -> DataError:
    got = f"{votes:,} votes, and none is on a row of the data" if votes else "nobody has voted yet"
    return DataError(
        got,
        expected="votes in annotations/ on rows of artifacts/validate",
        next_step="add rows to label with --unlabelled 200, or label some first",
    )
