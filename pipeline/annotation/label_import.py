"""Takes the answers in a file of another annotation tool as votes on rows of the data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotation.asked_rows import FoundRows, find_rows, keys_of, row_keys
from pipeline.annotation.foreign_votes import ForeignVote, Question, answer_of
from pipeline.annotation.label_formats import LabelFormat
from pipeline.annotation.published_votes import PublishedVote, as_utc, last_words, write_votes
from pipeline.annotation.row_file import LabellingRow, RowFile
from pipeline.core.errors import DataError
from pipeline.data.annotations import instant

_ARMS = ("hidden", "shown")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """The answers found in a file, and how many could not be taken.

    Attributes:
        votes: the last answer of each person to each row, skips among them, by row and person.
        unmatched: where the answers stand that are of no row of the data.
        unanswered: tasks to which nobody gave an answer.
        altered: answers by id whose text in the file is another than that of the row.
    """

    votes: Sequence[PublishedVote]
    unmatched: Sequence[str]
    unanswered: int
    altered: int


def import_labels(
    path: Path,
    *,
    format: LabelFormat,
    question: Question,
    rows: RowFile,
    folder: Path,
    annotator: str = "",
) -> tuple[Taken, Path]:
    """Writes the votes in a file into the folder of annotations; returns them and the file written.

    The same file imported again overwrites what it wrote before.

    Args:
        rows: those of the data.
        annotator: who gave the answers of which the file does not say it; empty for the format's name.

    Raises:
        DataError: the file is not of the format, a label is not the product's, or no answer is of a row
            of the data.
    """
    taken = take_labels(path, format=format, question=question, rows=rows, annotator=annotator)
    if not taken.votes:
        raise _nothing(path, taken)
    name = f"{format.name}-{path.stem}"
    write_votes(folder, taken.votes, name=name)
    return taken, folder / f"{name}.parquet"


def take_labels(
    path: Path, *, format: LabelFormat, question: Question, rows: RowFile, annotator: str = ""
) -> Taken:
    """The votes in a file; see `import_labels`, which says what it raises, too."""
    if not path.exists():
        raise DataError(
            f"{path.name} is not there",
            expected=f"a file that was exported in the format {format.name}",
            next_step="correct the path",
        )
    answers = [*format.read(path, question)]
    found = find_rows(
        rows,
        ids={answer.id for answer in answers if answer.id},
        texts={key for answer in answers for key in keys_of(answer.texts)},
    )
    return matched(answers, found, question, otherwise=annotator or format.name)


def matched(
    answers: Iterable[ForeignVote], found: FoundRows, question: Question, *, otherwise: str
) -> Taken:
    """The answers as votes on rows that were found by their id, or else by their text.

    Args:
        otherwise: who gave the answers of which the file does not say it.
    """
    votes: list[PublishedVote] = []
    unmatched: list[str] = []
    unanswered = altered = 0
    for answer in answers:
        if answer.values is None and not answer.skipped:
            unanswered += 1
            continue
        row = _row_of(answer, found)
        if row is None:
            unmatched.append(answer.where)
            continue
        altered += any(answer.texts) and not {*row_keys(row)} & {*keys_of(answer.texts)}
        votes.append(_vote(answer, row, question, otherwise))
    return Taken(
        votes=last_words(votes), unmatched=unmatched, unanswered=unanswered, altered=altered
    )


def described(taken: Taken, file: str) -> list[str]:
    """Sentences on what was taken, and what was not.

    Args:
        file: name of the file that was written.
    """
    skips = sum(vote.skipped for vote in taken.votes)
    people, rows = (
        len({getattr(vote, name) for vote in taken.votes}) for name in ("annotator", "id")
    )
    said = [
        f"labels: {len(taken.votes) - skips:,}, skips: {skips:,}, people: {people:,}, rows: {rows:,}, in {file}"
    ]
    if taken.unmatched:
        some = ", ".join(taken.unmatched[:_SHOWN]) + ", …" * (len(taken.unmatched) > _SHOWN)
        said.append(f"answers of no row of the data: {len(taken.unmatched):,} ({some})")
    if taken.unanswered:
        said.append(f"tasks without an answer: {taken.unanswered:,}")
    if taken.altered:
        said.append(f"answers on a text that differs from the row's: {taken.altered:,}")
    return said


def _row_of(answer: ForeignVote, found: FoundRows) -> LabellingRow | None:
    if answer.id in found.by_id:
        return found.by_id[answer.id]
    keys = keys_of(answer.texts)
    return next((found.by_text[key] for key in keys if key and key in found.by_text), None)


def _vote(
    answer: ForeignVote, row: LabellingRow, question: Question, otherwise: str
) -> PublishedVote:
    labels, number = ((), None) if answer.skipped else answer_of(answer, question)
    notes = answer.notes
    time = instant(notes.get("time", ""), answer.where)
    return PublishedVote(
        id=row.id,
        annotator=answer.annotator.strip() or otherwise,
        labels=labels,
        number=number,
        skipped=answer.skipped,
        comment=notes.get("comment"),
        time=None if time is None else as_utc(time),
        seconds=notes.get("seconds"),
        arm=notes["arm"] if notes.get("arm") in _ARMS else None,
        why=notes.get("why"),
        guide=notes.get("guide"),
        text_sha=row.text_sha,
    )


def _nothing(path: Path, taken: Taken) -> DataError:
    of_none = len(taken.unmatched)
    if not of_none:
        return DataError(
            f"{path.name}: no task of {taken.unanswered:,} has an answer",
            expected="answers that people gave; predictions of a model are none",
            next_step="label some tasks there, and export again",
        )
    return DataError(
        f"{path.name}: {of_none:,} answers, and none is of a row of the data"
        f" (the first: {taken.unmatched[0]})",
        expected="the id of a row, as `modelyard labels export` writes it, or a text that is a row's once cleaned",
        next_step="name the product that the texts are of with --product, or build it first",
    )
