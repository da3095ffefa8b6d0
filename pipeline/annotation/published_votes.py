"""The votes that a project publishes: Parquet files in `annotations/`, which the stage `label` reads.

Of a person's answers to a row the last one is kept. The rows of a file are in the order of row and person, so
that equal votes give equal bytes. Answers without a label, which are skips, are in files of the same names in
`annotations/skipped/`: a product of several labels would take an empty one for "none of them".
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.annotation.events import Arm
from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json
from pipeline.data.annotations import SKIPPED, instant
from pipeline.data.tables import read_batches, write_table

VOTES = "votes"
"""Name, without ending, of the file of what people answered in the project's own annotation page."""
MANIFEST = "manifest.json"
"""Name of the file that says what was published."""
_DETAILS = [
    ("comment", pa.string()),
    ("time", pa.string()),
    ("seconds", pa.float64()),
    ("arm", pa.string()),
    ("why", pa.string()),
    ("guide", pa.string()),
    ("text_sha", pa.string()),
]
_KEYS = [("id", pa.string()), ("annotator", pa.string())]
_VOTED = pa.schema([*_KEYS, ("label", pa.string()), ("number", pa.float64()), *_DETAILS])
_SKIPPED = pa.schema([*_KEYS, *_DETAILS])
_LIST = "["


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedVote:
    """The last answer of a person to a row.

    Attributes:
        id: id of the row.
        annotator: published name of the person.
        labels: the labels given; empty where the row has none of several, and for a number or a skip.
        number: the number given, in a regression.
        skipped: whether the person gave no label.
        comment: what the person wrote on the row.
        time: when: UTC, ISO 8601 with milliseconds; None where that is not known.
        seconds: for how long the row was in sight.
        arm: whether a model's suggestion was shown before; None where there was none to show.
        why: why the queue had the row.
        guide: hash of the guide that the person could read then.
        text_sha: SHA-256 of the row's text.
    """

    id: str
    annotator: str
    labels: tuple[str, ...] = ()
    number: float | None = None
    skipped: bool = False
    comment: str | None = None
    time: str | None = None
    seconds: float | None = None
    arm: Arm | None = None
    why: str | None = None
    guide: str | None = None
    text_sha: str | None = None

    def __post_init__(self) -> None:
        if self.skipped and (self.labels or self.number is not None):
            raise ValueError(f"the skip of {self.id} by {self.annotator} has a label")
        if self.labels and self.number is not None:
            raise ValueError(f"the vote of {self.annotator} on {self.id} has labels and a number")


DETAILS = tuple(name for name, _ in _DETAILS)
"""Names of the fields that say how an answer was given, rather than which."""


def write_votes(folder: Path, votes: Iterable[PublishedVote], *, name: str = VOTES) -> None:
    """Writes the last answer of each person to each row to `<folder>/<name>.parquet`, skips to `skipped/` there.

    Each file is written whole or not at all; without skips there is no file of them.
    """
    last = last_words(votes)
    given = [vote for vote in last if not vote.skipped]
    skips = [vote for vote in last if vote.skipped]
    file = f"{name}.parquet"
    if skips:
        write_table(folder / SKIPPED / file, _columns(skips, _SKIPPED), schema=_SKIPPED)
    else:
        (folder / SKIPPED / file).unlink(missing_ok=True)
    write_table(folder / file, _columns(given, _VOTED), schema=_VOTED)


def read_votes(folder: Path, *, name: str = VOTES) -> list[PublishedVote]:
    """The answers that `write_votes` wrote, skips among them, by row and person; none where it wrote none.

    Raises:
        ArtifactError: a file is damaged, or was not written by `write_votes`.
    """
    file = f"{name}.parquet"
    read = [*_read(folder / file, _VOTED), *_read(folder / SKIPPED / file, _SKIPPED)]
    return sorted(read, key=_place)


def published_names(folder: Path) -> list[str]:
    """Names of the files that `write_votes` wrote into a folder, without ending; files of others are left out."""
    every = {path.stem for place in (folder, folder / SKIPPED) for path in place.glob("*.parquet")}
    return sorted(name for name in every if _is_published(folder, name))


def owner_of(folder: Path) -> str | None:
    """The product whose labels are published in a folder; None where none are, or nothing says whose they are."""
    manifest = folder / MANIFEST
    return read_json(manifest).get("product") if manifest.exists() else None


def last_words(votes: Iterable[PublishedVote]) -> list[PublishedVote]:
    """The last answer of each person to each row, by row and person.

    The last one is the one with the latest time; one without a time is earlier than any with one, and of
    equal ones the later of `votes` counts. Times come as UTC with milliseconds, names in composed form.
    """
    last: dict[tuple[str, str], PublishedVote] = {}
    for vote in votes:
        name = normalize("NFC", vote.annotator).strip()
        given = replace(vote, annotator=name, time=utc(vote.time), comment=vote.comment or None)
        before = last.get(_place(given))
        if before is None or (before.time or "") <= (given.time or ""):
            last[_place(given)] = given
    return sorted(last.values(), key=_place)


def utc(time: str | None) -> str | None:
    """An ISO 8601 time as UTC with milliseconds, such as 2026-01-10T09:05:00.000Z; None of none.

    Raises:
        DataError: it is not ISO 8601.
    """
    found = instant(time or "", "a vote")
    return None if found is None else as_utc(found)


def as_utc(time: datetime) -> str:
    """The time as UTC, ISO 8601 with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_cell(labels: Sequence[str], number: float | None) -> str:
    """The answer as `label` reads it: a label or a number as it is; none or several labels as a JSON list."""
    if number is not None:
        return repr(number)
    if len(labels) == 1 and not labels[0].startswith(_LIST):
        return labels[0]
    return json.dumps(labels, ensure_ascii=False)


def _place(vote: PublishedVote) -> tuple[str, str]:
    return vote.id, vote.annotator


def _columns(votes: Sequence[PublishedVote], schema: pa.Schema) -> dict[str, list[Any]]:
    own = [name for name in schema.names if name != "label"]
    columns: dict[str, list[Any]] = {name: [getattr(vote, name) for vote in votes] for name in own}
    return columns | {"label": [as_cell(vote.labels, vote.number) for vote in votes]}


def _labels(row: dict[str, Any]) -> tuple[str, ...]:
    if row["number"] is not None:
        return ()
    cell = row["label"]
    return tuple(json.loads(cell)) if cell.startswith(_LIST) else (cell,)


def _read(path: Path, schema: pa.Schema) -> Iterator[PublishedVote]:
    if not path.exists():
        return
    if not _has_schema(path, schema):
        raise ArtifactError(
            f"{path.name} has other columns than published votes",
            expected=f"the columns {', '.join(schema.names)}",
            next_step="publish the votes again, or give the file another name",
        )
    is_skipped = schema is _SKIPPED
    for batch in read_batches(path):
        for row in batch.to_pylist():
            labels = () if is_skipped else _labels(row)
            known = {name: row[name] for name in _FIELDS if name in row}
            yield PublishedVote(labels=labels, skipped=is_skipped, **known)


def _is_published(folder: Path, name: str) -> bool:
    file = f"{name}.parquet"
    files = [(folder / file, _VOTED), (folder / SKIPPED / file, _SKIPPED)]
    return all(_has_schema(path, schema) for path, schema in files if path.exists())


def _has_schema(path: Path, schema: pa.Schema) -> bool:
    try:
        return bool(pq.read_schema(path).equals(schema))
    except (OSError, pa.ArrowException):
        return False


_FIELDS = tuple(field.name for field in fields(PublishedVote))
