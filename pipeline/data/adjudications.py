"""The decisions on rows about which people's votes differ: `annotations/adjudicated.parquet`, one line a row.

The stage `label` takes an adjudicated label for certain, whatever the votes are.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import ArtifactError
from pipeline.core.progress import say
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.tables import read_table, write_table
from pipeline.problem.labelling import Labelling, Labels
from pipeline.problem.problem import Problem

FILE = "adjudicated.parquet"
Cause = Literal["slip", "guide", "ambiguous"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""Why people differ: somebody's slip, a gap in the guide, or a text that truly has no one answer."""
ADJUDICATED = "adjudicated"
"""Stands in place of the people's names for the one vote that an adjudicated row counts with."""
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.string()),
        ("number", pa.float64()),
        ("why", pa.string()),
        ("shares", pa.map_(pa.string(), pa.float64())),
        ("comment", pa.string()),
        ("guide", pa.string()),
        ("time", pa.string()),
        ("person", pa.string()),
        ("text_sha", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjudication:
    """The decision on one row.

    Attributes:
        id: id of the row.
        label: the label as tables of votes have it: a label, a number, or a JSON list of several.
        number: the number, in a regression.
        why: cause of the dispute.
        shares: label → share of the people who gave it, the adjudicator's decision among them; of several labels a text, each
            is a share by itself. Empty for numbers.
        comment: what the adjudicator wrote on it.
        guide: hash of the guide that the adjudicator could read.
        time: UTC, ISO 8601 with milliseconds.
        person: published name of the adjudicator.
        text_sha: SHA-256 of the row's text.
    """

    id: str
    label: str
    number: float | None = None
    why: Cause
    shares: Mapping[str, float] = field(default_factory=dict)
    comment: str | None = None
    guide: str | None = None
    time: str
    person: str
    text_sha: str | None = None


Adjudications = Mapping[str, Adjudication]
"""Row id → its decision, whose `label` is as tables of rows store it."""


def write_adjudications(folder: Path, decisions: Iterable[Adjudication]) -> None:
    """Writes the decisions to `<folder>/adjudicated.parquet`, by row; without any there is no file.

    Equal decisions give equal bytes.
    """
    ordered = sorted(decisions, key=lambda decision: decision.id)
    if not ordered:
        (folder / FILE).unlink(missing_ok=True)
        return
    columns = {name: [getattr(one, name) for one in ordered] for name in _SCHEMA.names}
    columns["shares"] = [[*one.shares.items()] for one in ordered]
    write_table(folder / FILE, columns, schema=_SCHEMA)


def read_adjudications(
    folder: Path, *, problem: Problem, labels: Labels, known: Container[str]
) -> dict[str, Adjudication]:
    """The decisions on rows of the data; none where there is no file. Says how many are on other rows.

    Args:
        known: ids of the rows of the data.

    Raises:
        ArtifactError: the file is damaged, or has other columns.
        DataError: a label is not the product's.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    _require_schema(path)
    labelling, table = Labelling(labels), read_table(path)
    found = {}
    for number, row in enumerate(zip(*table.values(), strict=True), start=1):
        cells = dict(zip(table, row, strict=True))
        if cells["id"] not in known:
            continue
        with refusals_are_data_errors():
            label = problem.read_label(cells["label"], labelling, where=f"{FILE}, row {number}")
        decision = cells | {"label": label, "shares": dict(cells["shares"] or ())}
        found[cells["id"]] = Adjudication(**decision)
    if unknown := len(table["id"]) - len(found):
        say(f"label  {unknown:,} adjudicated ids are of no row, and their labels are not used")
    return found


def decided(
    votes: Mapping[str, Mapping[str, str]], decisions: Adjudications
) -> dict[str, dict[str, str]]:
    """The votes that decide the label of each row: on an adjudicated one, the decision alone."""
    own = {row: {ADJUDICATED: decision.label} for row, decision in decisions.items()}
    return {row: dict(given) for row, given in votes.items()} | own


def soft_labels(
    decisions: Adjudications, *, problem: Problem, labels: Labels
) -> dict[str, list[float]]:
    """Row id → the share of each of `labels`, for rows that are truly ambiguous; nothing for numbers.

    Shares of labels that the product does not have are left out; of one label a text, the others then add up to 1.
    """
    if not problem.has_probabilities:
        return {}
    found = {}
    for row, decision in decisions.items():
        shares = [decision.shares.get(label, 0.0) for label in labels]
        if decision.why == "ambiguous" and decision.shares:
            found[row] = shares if problem.many_labels else _of_one(shares)
    return found


def _of_one(shares: Sequence[float]) -> list[float]:
    """The shares, which add up to 1; the decision's own label has one, so that their sum is never 0."""
    return [share / sum(shares) for share in shares]


def _require_schema(path: Path) -> None:
    try:
        has_it = pq.read_schema(path).equals(_SCHEMA)
    except (OSError, pa.ArrowException):
        has_it = False
    if not has_it:
        raise ArtifactError(
            f"{path.parent.name}/{path.name} is damaged or has other columns than decisions",
            expected=f"the columns {', '.join(_SCHEMA.names)}",
            next_step="run `modelyard labels`, which writes it, or move it out of the folder",
        )
