"""Reads the labels that people gave to rows, from the files in `annotations/`."""

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.progress import say
from pipeline.data.file_look import look_at
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.layout import FileRow, Layout
from pipeline.data.rows import read_rows
from pipeline.data.wanted_columns import in_one_form
from pipeline.problem.labelling import Labelling
from pipeline.problem.problem import Problem

Annotations = dict[str, dict[str, str]]
"""Row id → annotator → label."""
VOTE_COLUMNS = ("id", "annotator", "label")
_ORDER = ("time", "sequence", "seq")
_VOTES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
# The reader of rows opens these or says what to do with them; they are never left out.
_PACKED = (".xlsx", ".xls", ".xlsm", ".ods", ".zip", ".gz", ".zst")
_DOCUMENTS = (".md", ".markdown", ".rst", ".yaml", ".yml", ".html", ".pdf", ".docx", ".dvc")
_NO_VOTES = ("manifest.json", "adjudicated.parquet")
_GUIDE = "guide"
SKIPPED = "skipped"
"""Folder, in that of the votes, of rows to which people gave no label."""
_HEADER_BYTES = 4096
_SHOWN_IDS = 5
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?|\d{8}T\d{4}\S*")
_WHOLE_NUMBER = re.compile(r"(\d{1,18})(?:\.0)?")
# 5.2E+19, 7,39E+09, 5.2e19; and 16 or more digits of which a spreadsheet kept 15.
_SPREADSHEET_NUMBER = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]\d+|\d+[.,]\d+[eE]\d+|\d{15}0+")


@dataclass(frozen=True, slots=True)
class Vote:
    """The label that one line of a file gives.

    Attributes:
        sequence: number of the vote among those of its annotator; None where the line has none.
        time: None where the line has none.
    """

    row: str
    annotator: str
    label: str
    sequence: int | None
    time: datetime | None


def read_annotations(
    folder: Path, *, problem: Problem, labels: Sequence[str], known: Container[str]
) -> Annotations:
    """The last label that each annotator gave to each row, from the files of `folder`.

    Files are CSV, TSV, JSON lines, JSON or Parquet; case and blanks around the names of columns do not matter. Documents, such as `guide.md`, and what lies in
    folders are not read. Of an annotator's labels for a row the last counts: the one with the
    highest `sequence` (or `seq`) where all of them have one, else the one with the latest `time`;
    of equal ones, the later line. A line without a time is earlier than any with one.

    Args:
        known: ids of the rows of the data.

    Raises:
        DataError: a file is malformed, an id or an annotator is missing, a label is not the
            product's, a time is not ISO 8601, or a spreadsheet made a number of an id.
    """
    rows: Annotations = {}
    for vote in last_votes(folder, problem=problem, labels=labels, known=known):
        rows.setdefault(vote.row, {})[vote.annotator] = vote.label
    return rows


def last_votes(
    folder: Path, *, problem: Problem, labels: Sequence[str], known: Container[str]
) -> Iterator[Vote]:
    """The last vote of each annotator on each row; see `read_annotations`, which says what it raises, too."""
    labelling = Labelling(labels)
    votes: dict[tuple[str, str], list[Vote]] = {}
    for file in _vote_files(folder):
        for vote in votes_of(file, problem, labelling, known):
            votes.setdefault((vote.row, vote.annotator), []).append(vote)
    yield from map(_last, votes.values())


def votes_on(known: Container[str], votes: Annotations) -> Annotations:
    """The votes on rows of the data; says how many are on others, such as validate took out.

    Args:
        known: ids of the rows of the data.

    Raises:
        DataError: none is on a row of the data.
    """
    unknown = [row for row in votes if row not in known]
    if votes and len(unknown) == len(votes):
        raise DataError(
            f"{len(votes):,} annotated ids, such as {unknown[0]!r}, and none is in the data",
            expected="ids of artifacts/validate/records.parquet or corpus.parquet (not of the corpus for"
            " a product of pairs)",
            next_step="annotate rows of these data, or empty annotations/",
        )
    if unknown:
        some = ", ".join(unknown[:_SHOWN_IDS]) + ", …" * (len(unknown) > _SHOWN_IDS)
        say(
            f"label  {len(unknown):,} of {len(votes):,} annotated ids are of no row, and their labels"
            f" are not used: {some}"
        )
    return {row: given for row, given in votes.items() if row in known}


def _last(votes: Sequence[Vote]) -> Vote:
    """The last of an annotator's votes on one row, which come in the order of their lines."""
    numbered = all(vote.sequence is not None for vote in votes)

    def order(vote: Vote) -> tuple[int, datetime]:
        return (vote.sequence or 0) if numbered else 0, vote.time or _EARLIEST

    return sorted(votes, key=order)[-1]


def _vote_files(folder: Path) -> list[Path]:
    """The files with votes, by name; says which other files and folders are left out.

    Raises:
        DataError: a file has the columns of votes, but not the ending of a file that can be read.
    """
    files: list[Path] = []
    left_out: list[str] = []
    for path in sorted(folder.glob("*")):
        kind = path.suffix.lower()
        if path.name[0] in ".~" or path.name in (*_NO_VOTES, _GUIDE, SKIPPED) or kind in _DOCUMENTS:
            continue
        if path.is_dir():
            left_out.append(f"{path.name}/")
        elif kind in (*_VOTES, *_PACKED):
            files.append(path)
        elif _has_vote_columns(path):
            raise DataError(
                f"{folder.name}/{path.name} holds labels, and is not read by its ending",
                expected=f"a file of one of these kinds: {', '.join(_VOTES)}",
                next_step="give the file the ending of its kind, or move it out of the folder",
            )
        else:
            left_out.append(path.name)
    if left_out:
        say(f"label  not read, for it is no file of labels: {', '.join(left_out)}")
    return files


def _has_vote_columns(file: Path) -> bool:
    """Whether the first line is the header of a table of votes, or an object with its columns."""
    with file.open("rb") as stream:
        line = stream.readline(_HEADER_BYTES).decode("utf-8-sig", errors="replace").strip()
    names = re.split(r"[{},:]" if line.startswith("{") else r"[,;\t|]", line)
    return {*VOTE_COLUMNS} <= {*map(in_one_form, names)}


def votes_of(
    file: Path, problem: Problem, labelling: Labelling, known: Container[str]
) -> Iterator[Vote]:
    """The vote of each line; says how many lines of a sheet have no label yet.

    Raises:
        DataError: see `read_annotations`.
    """
    unlabelled = 0
    # A spreadsheet saves in an encoding of its country. A wrong guess shows: labels are the product's.
    layout = look_at(file).layout
    rows = read_votes(file, optional=_ORDER, layout=layout)
    for line, row in rows:
        where = f"{file.name}, line {line}"
        identifier, cell = row["id"].strip(), row["label"]
        annotator = unicodedata.normalize("NFC", row["annotator"]).strip()
        if not cell.strip() and not (annotator and problem.many_labels):
            unlabelled += 1
            continue
        if not identifier:
            raise _empty(where, "id", "the id of the row that the label is for")
        if not annotator:
            raise _empty(where, "annotator", "the name of who gave the label")
        if identifier not in known and _SPREADSHEET_NUMBER.fullmatch(identifier):
            raise _damaged(where, identifier)
        with refusals_are_data_errors():
            label = problem.read_label(cell, labelling, where=where)
        yield Vote(
            identifier,
            annotator,
            label,
            sequence=_sequence(row.get("sequence") or row.get("seq") or "", where),
            time=instant(row.get("time", ""), where),
        )
    if unlabelled:
        say(f"label  {file.name}: {unlabelled:,} lines have no label yet")


def read_votes(
    file: Path, *, optional: Sequence[str] = (), layout: Layout | None = None
) -> Iterator[FileRow]:
    """The lines of a file of votes with the columns of votes, however people write the names of these.

    Raises:
        DataError: see `read_rows`.
    """
    return read_rows(
        file, columns=VOTE_COLUMNS, optional=optional, lists=["label"], in_sheet=True, layout=layout
    )


def instant(cell: str, where: str) -> datetime | None:
    """The instant of an ISO 8601 time, which is UTC where it has no offset; None of no text.

    Raises:
        DataError: it is not ISO 8601; the message begins with `where`.
    """
    text = cell.strip(' "').upper()  # a time of Parquet comes as JSON, in quotes
    if not text:
        return None
    try:
        if not _ISO_8601.fullmatch(text):
            raise ValueError(text)
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise DataError(
            f"{where}: the time {cell!r}",
            expected="a time as ISO 8601 writes it, such as 2026-01-10T09:05:00+09:00; without an"
            " offset it is UTC",
            next_step="write it so; in a spreadsheet, make the column one of text first",
        ) from None


def _sequence(cell: str, where: str) -> int | None:
    """The number of a vote among those of its annotator; None of no text."""
    if not cell.strip():
        return None
    if number := _WHOLE_NUMBER.fullmatch(cell.strip()):
        return int(number[1])
    raise DataError(
        f"{where}: the sequence number {cell!r}",
        expected="a whole number, larger for each later label of a person",
        next_step="correct the line, or leave the column out where the file has times",
    )


def _empty(where: str, column: str, meaning: str) -> DataError:
    return DataError(
        f"{where}: the column `{column}` is empty", expected=meaning, next_step="correct the line"
    )


def _damaged(where: str, identifier: str) -> DataError:
    return DataError(
        f"{where}: {identifier!r} is a number that a spreadsheet made of an id",
        expected="an id of artifacts/validate/records.parquet, digit for digit",
        next_step="take the id from the file that the spreadsheet was made from, and import its"
        " column as text",
    )
