"""collect: reads texts from pinned, licensed sources and records where each source comes from.

Reads   data/, installed packages
Writes  artifacts/collect/{records.parquet, corpus.parquet, manifest.json, metrics.json}
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.artifacts.data_reports import Manifest, SourceRecord
from pipeline.core.artifacts.table_columns import (
    SOURCE_ID,
    CollectedCorpus,
    CollectedRecords,
    Table,
)
from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import Source
from pipeline.core.stage import Metrics, run_stage
from pipeline.data import sources
from pipeline.data.records import record_schema
from pipeline.data.repeated_ids import refuse_repeated_ids
from pipeline.data.row_ids import ids_of
from pipeline.data.row_rights import RowRights
from pipeline.data.rows_by_id import rows_by_id
from pipeline.data.source_ids import SourceIds
from pipeline.data.source_rows import batches_of
from pipeline.data.tables import TableWriter, table_writer
from pipeline.problem.problems import problem_named

_UNSORTED = ".unsorted.part"
"""Folder beside the tables for rows that are not in order yet; a killed stage may leave it, the next removes it."""
NO_CORPUS = (
    "collect  no corpus: the student learns from the labelled rows and texts made from them;"
    " a source of like texts without labels would make it better"
)
NO_LABELS = (
    "collect  no row has a label yet: people give them (annotations/) before anything is learned"
)


def run(params: Params, paths: Paths) -> Metrics:
    """Read every source; write a table of the rows with a label and one of all others, the corpus."""
    manifest = []
    has_own_ids = any(source.id_column is not None for source in params.collect.sources)
    with _tables(paths.out, source_ids=has_own_ids) as tables:
        for source in params.collect.sources:
            manifest.append(_collect(source, params, paths.data, tables))
        labelled, corpus = tables.labelled.written, tables.corpus.written
        if not labelled and params.product.pairs:
            raise DataError(
                "no pair of texts has a label",
                expected="a source with labels: people label single texts here, and no pairs yet",
                next_step="add one under `sources` in the product file",
            )
        if not labelled:
            say(NO_LABELS)
        if not corpus:
            say(NO_CORPUS)
        refuse_repeated_ids(tables.ids)
    Manifest(sources=manifest).write(paths)
    return {
        "labelled_rows": labelled,
        "corpus_rows": corpus,
        "headline": f"{labelled:,} labelled, {corpus:,} corpus rows",
    }


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """All that collect writes while it reads.

    Attributes:
        folder: for files that are needed while the stage runs.
        ids: a file of ids in order for each source that was read.
        hashes: file → its SHA-256, for a file that several sources read.
    """

    labelled: TableWriter
    corpus: TableWriter
    folder: Path
    ids: list[Path] = field(default_factory=list)
    hashes: dict[Path, str] = field(default_factory=dict)


@contextmanager
def _tables(out: Path, *, source_ids: bool) -> Iterator[_Tables]:
    """Both tables, which are there when the block ends without an error, and a folder that is then gone.

    Args:
        source_ids: whether the tables have a column for the sources' own ids.
    """
    folder = out / _UNSORTED
    shutil.rmtree(folder, ignore_errors=True)  # of a stage that was killed
    with (
        table_writer(out / "records.parquet", _schema(CollectedRecords, source_ids)) as labelled,
        table_writer(out / "corpus.parquet", _schema(CollectedCorpus, source_ids)) as corpus,
    ):
        try:
            yield _Tables(labelled=labelled, corpus=corpus, folder=folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _schema(table: type[Table], source_ids: bool) -> pa.Schema:
    return record_schema(table.columns(source_ids=source_ids))


def _collect(source: Source, params: Params, data: Path, tables: _Tables) -> SourceRecord:
    """Writes the rows of a source into the tables; returns its entry in the manifest."""
    waived = sources.waiver(source, params.product.requirements)
    file, origin = sources.find(source, data)
    if source.sha256 not in (None, tables.hashes.get(file)) or file not in tables.hashes:
        tables.hashes[file] = sources.check_hash(source, file)
    before = tables.labelled.written, tables.corpus.written
    rights = _rights(source, params)
    _write_rows(source, file, params, tables, rights)
    labelled = tables.labelled.written - before[0]
    others = tables.corpus.written - before[1]
    told = f", {others:,} of them without a label" if others and source.role != "corpus" else ""
    say(f"collect  {source.name}: {labelled + others:,} rows{told}")
    found = {} if rights is None else {"rights": rights.report()}
    for reason, rows in found["rights"].left_out.items() if found else ():
        say(f"collect  {source.name}: {rows:,} rows left out: {reason}")
    return SourceRecord(
        name=source.name,
        kind=source.kind,
        origin=origin,
        licence=source.licence,
        waiver=waived,
        sha256=tables.hashes[file],
        rows=labelled + others,
        bytes=sources.bytes_of(file),
        **found,
    )


def _rights(source: Source, params: Params) -> RowRights | None:
    """Judges the rows of a source that says the rights of each; None for one that does not."""
    if source.rights is None:
        return None
    return RowRights(
        source.rights, licence=source.licence, requirements=params.product.requirements
    )


def _write_rows(
    source: Source, file: Path, params: Params, tables: _Tables, rights: RowRights | None
) -> None:
    """Writes the rows in the order of their ids, which are hashes: the first n are a random, stable choice."""
    problem = problem_named(params.product.problem)
    folder = tables.folder / str(len(tables.ids))
    own = None if source.id_column is None else SourceIds(folder.with_suffix(".own"))
    batches = batches_of(
        source, file, problem=problem, labels=params.product.labels, rights=rights, own=own
    )
    left = params.collect.max_rows_per_source
    tables.ids.append(folder.with_suffix(".ids"))
    for found in rows_by_id(batches, folder, source=source.name):
        rows = found.slice(0, left)
        with tables.ids[-1].open("ab") as ids:
            rows["id"].to_numpy().tofile(ids)
        _write(rows, source, tables)
        if left is not None and (left := left - rows.num_rows) == 0:
            break
    shutil.rmtree(folder)
    folder.with_suffix(".own").unlink(missing_ok=True)


def _write(rows: pa.Table, source: Source, tables: _Tables) -> None:
    """Writes rows into the table of those with a label, and into that of all others."""
    names = pa.repeat(pa.scalar(source.name), rows.num_rows)
    named = rows.set_column(0, "id", ids_of(rows["id"].to_numpy())).append_column("source", names)
    if SOURCE_ID not in named.column_names:
        named = named.append_column(SOURCE_ID, pa.nulls(rows.num_rows, pa.string()))
    has_label = pc.is_valid(named["label"])
    if source.role == "corpus":
        tables.corpus.add(named)
        return
    tables.labelled.add(named.filter(has_label))
    tables.corpus.add(named.filter(pc.invert(has_label)))


if __name__ == "__main__":
    run_stage("collect", run)
