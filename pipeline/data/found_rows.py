"""Finds rows by their ids, those of their sources or ours, and says where each one has gone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.core.paths import Paths
from pipeline.data.tables import column_names, read_batches
from pipeline.data.versions import DataVersion

CORPUS, TAKEN_OUT, COLLECTED = "corpus", "taken out", "collected"
_COLUMNS = ("id", "source", SOURCE_ID, "label", "split", "reason")
_FOLLOWED = (
    ("label", "records.parquet"),
    ("label", "corpus.parquet"),
    ("validate", "rejects.parquet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A row of a build or of a data version.

    Attributes:
        id: our id of it.
        source: name of its source.
        source_id: its id there; None where the source has none.
        place: its split; of a build also CORPUS, TAKEN_OUT, or COLLECTED where no later stage has it.
        label: None for a row without one.
        reason: why it was taken out; None for all others.
    """

    id: str
    source: str
    source_id: str | None
    place: str
    label: str | None = None
    reason: str | None = None


def rows_of_build(paths: Paths, wanted: Collection[str]) -> list[FoundRow]:
    """The rows that collect read with one of these ids, in the order of its tables, and where they are.

    Args:
        wanted: ids of the sources, or ours.

    Raises:
        ArtifactError: nothing was collected, or a table cannot be read.
    """
    rows: dict[str, FoundRow] = {}
    for name in ("records.parquet", "corpus.parquet"):
        for row in _matching(paths.read("collect", name), wanted):
            found = _found(row, COLLECTED)
            rows[found.id] = found
    for stage, name in _FOLLOWED:
        path = paths.output(stage) / name
        if rows and path.exists():
            for row in _matching(path, rows, names=["id"]):
                found = rows[str(row["id"])]
                label, reason = row.get("label", found.label), row.get("reason")
                place = row.get("split") or (TAKEN_OUT if reason else CORPUS)
                rows[found.id] = replace(found, place=place, label=label, reason=reason)
    return [*rows.values()]


def rows_of_version(version: DataVersion, wanted: Collection[str]) -> list[FoundRow]:
    """The rows of a data version with one of these ids, of their sources or ours."""
    return [_found(row, row["split"]) for row in _matching(version.path, wanted)]


def has_source_ids(paths: Paths) -> bool:
    """Whether a source of the last build has ids of its own."""
    return SOURCE_ID in column_names(paths.read("collect", "records.parquet"))


def _found(row: dict[str, str | None], place: str | None) -> FoundRow:
    return FoundRow(
        id=row["id"] or "",
        source=row["source"] or "",
        source_id=row.get(SOURCE_ID),
        place=place or "",
        label=row.get("label"),
    )


def _matching(
    path: Path, wanted: Collection[str], *, names: Collection[str] = ("id", SOURCE_ID)
) -> Iterator[dict[str, str | None]]:
    """The rows of a table that have one of the values in one of the columns `names`, without their texts."""
    there = column_names(path)
    columns, values = [name for name in _COLUMNS if name in there], pa.array([*wanted], pa.string())
    for batch in read_batches(path, columns):
        found = pa.array([False] * len(batch))
        for name in (name for name in names if name in there):
            found = pc.or_(found, pc.is_in(batch.column(name), value_set=values))
        yield from batch.filter(found).to_pylist()
