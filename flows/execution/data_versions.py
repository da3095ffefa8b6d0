"""Makes data versions of what builds left, and compares them with each other and with that.

The rows are those of label and prepare, which must be up to date. DVC takes the Parquet file into its
cache; the note of it is a small file for git (pipeline/data/versions.py, docs/adr/0038).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.execution.git import commit_tags
from flows.execution.locks import build_lock
from flows.execution.runner import Runner, open_runner
from flows.execution.workspace import last_build
from flows.planning.codelock import refresh_code_lock
from flows.planning.dag import load_dag
from flows.planning.machine import refresh_machine
from flows.planning.resolution import Variation, refresh_build_file
from pipeline.core.artifacts.data_reports import Manifest
from pipeline.core.artifacts.table_columns import SOURCE_ID
from pipeline.core.errors import DataError
from pipeline.core.params import Params, load_params
from pipeline.core.paths import Paths
from pipeline.data.annotations import Annotations, read_annotations
from pipeline.data.version_diff import COMPARED, VersionDiff, difference
from pipeline.data.versions import (
    NOW,
    SourceNote,
    VersionNote,
    add_note,
    balance,
    figures_of,
    load,
    present_rows,
    read_note,
    require_free,
    schema_of,
    version_names,
    write_rows,
)
from pipeline.problem.problems import problem_named

_READ = ("collect", "label", "prepare")
"""The stages whose sources and rows make a version."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two things that are compared: a version, or the rows of the last build.

    Attributes:
        balance: see `pipeline.data.versions.balance`.
        rows: with the columns that are compared.
    """

    name: str
    product: str
    balance: Mapping[str, int | float]
    rows: pa.Table


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two sides and the rows in which they differ."""

    before: Side
    after: Side
    difference: VersionDiff

    def as_json(self) -> dict[str, Any]:
        """All of it, each row that differs included."""
        sides = (self.before, self.after)
        differing = {kind: getattr(self.difference, kind) for kind in self.difference.counts}
        return {
            "a": self.before.name,
            "b": self.after.name,
            "products": {"before": self.before.product, "after": self.after.product},
            "rows": dict(zip(("before", "after"), (len(side.rows) for side in sides), strict=True)),
            "counts": self.difference.counts,
            "added": differing["added"]["id"].to_pylist(),
            "removed": differing["removed"]["id"].to_pylist(),
            "relabelled": differing["relabelled"].to_pylist(),
            "moved": differing["moved"].to_pylist(),
            "source_ids": self._source_ids(differing.values()),
            "balance": {"before": self.before.balance, "after": self.after.balance},
        }

    def _source_ids(self, named: Iterable[pa.Table]) -> dict[str, str]:
        """The id of each named row → its id in its source, where that has ids."""
        ids = pa.chunked_array(
            [chunk for rows in named for chunk in rows["id"].chunks], pa.string()
        )
        found: dict[str, str] = {}
        for rows in (self.before.rows, self.after.rows):
            if SOURCE_ID in rows.column_names:
                is_named = pc.is_in(rows["id"], value_set=ids.combine_chunks())
                kept = rows.filter(pc.and_(is_named, rows[SOURCE_ID].is_valid()))
                found |= zip(kept["id"].to_pylist(), kept[SOURCE_ID].to_pylist(), strict=True)
        return found


def make_version(root: Path, name: str, variation: Variation) -> VersionNote:
    """Gives the rows of a product's last build a name, under which they can be read from then on.

    Raises:
        DataError: the name is taken or none can have it, or nothing was built, or not since data, code or
            parameters changed.
    """
    folder = Paths(root).versions
    require_free(folder, name)
    with last_build(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace == root:
            refresh_build_file(root)
        runner = open_runner(workspace, root=root, lock=lock)
        _require_built(runner, root=root)
        params, path = load_params(Paths(workspace).build), folder / f"{name}.parquet"
        paths = Paths(workspace)
        rows = present_rows(paths, votes_of_build(workspace, params))
        write_rows(path, rows, schema=schema_of(paths.read("label", "records.parquet")))
        note = _note(root, workspace, params, path)
        with build_lock(root) as own:
            replace(runner, workspace=root, lock=own).track(f"{folder.name}/{path.name}")
        add_note(folder, name, note)
    return note


def equal_versions(root: Path, name: str) -> list[str]:
    """Names of the other versions that hold the very same rows."""
    notes = notes_of(root)
    wanted = notes.pop(name).sha256
    return [other for other, note in notes.items() if note.sha256 == wanted]


def notes_of(root: Path) -> dict[str, VersionNote]:
    """Every version's note, oldest first."""
    folder = Paths(root).versions
    notes = {name: read_note(folder, name) for name in version_names(folder)}
    return dict(sorted(notes.items(), key=lambda item: item[1].made))


def compare_versions(root: Path, before: str, after: str, variation: Variation) -> Comparison:
    """How two versions differ; `now` means the rows of a product's last build.

    Raises:
        DataError: a version is not there, or not whole.
    """
    sides = [
        _now(root, variation) if name == NOW else _version(root, name) for name in (before, after)
    ]
    first, second = sides
    return Comparison(before=first, after=second, difference=difference(first.rows, second.rows))


def _version(root: Path, name: str) -> Side:
    version = load(name, root=root)
    rows, note = version.arrow(columns=_compared(version.schema)), version.note
    return Side(name=name, product=note.product, balance=note.balance, rows=rows)


def _now(root: Path, variation: Variation) -> Side:
    """The rows of a product's last build, with the votes as they are now."""
    with last_build(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace != root:
            open_runner(workspace, root=root, lock=lock).checkout(*_READ)
        product = (params := load_params(Paths(workspace).build)).product
        paths = Paths(workspace)
        batches = present_rows(paths, votes_of_build(workspace, params))
        schema = schema_of(paths.read("label", "records.parquet"))
        kept = pa.schema([schema.field(name) for name in _compared(schema)])
        rows = pa.Table.from_batches((batch.select(kept.names) for batch in batches), schema=kept)
    problem = problem_named(product.problem)
    found = balance(rows["label"], problem=problem, labels=product.labels)
    return Side(name=NOW, product=product.name, balance=found, rows=rows)


def _compared(schema: pa.Schema) -> list[str]:
    """The columns that a comparison reads of rows that have these."""
    return [*COMPARED, *(name for name in schema.names if name == SOURCE_ID)]


def votes_of_build(workspace: Path, params: Params) -> Annotations:
    """The votes in annotations/ on the rows that label left in a workspace."""
    product = params.product
    problem, folder = problem_named(product.problem), Paths(workspace).annotations
    rows = pq.read_table(Paths(workspace).read("label", "records.parquet"), columns=["id"])
    known = set(rows["id"].to_pylist())
    return read_annotations(folder, problem=problem, labels=product.labels, known=known)


def _require_built(runner: Runner, *, root: Path) -> None:
    """Raises DataError where a stage that a version reads, or one before it, would run in a build; the caller holds the build lock."""
    workspace = runner.workspace
    refresh_code_lock(workspace)
    refresh_machine(workspace)
    if not Paths(workspace).dvc_lock.exists():
        raise DataError(
            "nothing was built here yet",
            expected="rows that label and prepare have left",
            next_step="run `make pipeline`, then this command again",
        )
    needed = load_dag(Paths(workspace).dag).with_ancestors(_READ)
    if workspace != root:
        runner.checkout(*needed)
    stale = runner.stale_stages()
    if old := [stage for stage in needed if stage in stale]:
        raise DataError(
            f"{' and '.join(old)} would run in a build: data, splits/, code or parameters have changed",
            expected="the rows of a build that is up to date, so that the version says what it is of",
            next_step="run `make pipeline`, then this command again",
        )


def _note(root: Path, workspace: Path, params: Params, path: Path) -> VersionNote:
    """The note of a Parquet file that was just written."""
    product, tags = params.product, commit_tags(root)
    sources = [
        SourceNote(name=each.name, sha256=each.sha256, licence=each.licence, rows=each.rows)
        for each in Manifest.read(Paths(workspace)).sources
    ]
    return VersionNote(
        product=product.name,
        problem=product.problem,
        labels=[*product.labels],
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=tags["git.commit"],
        uncommitted=tags["git.dirty"] == "true",
        sources=sources,
        **figures_of(path, problem=problem_named(product.problem), labels=product.labels),
    )
