"""collect: reads texts from pinned, licensed sources and records where each source comes from.

Reads   data/, installed packages
Writes  artifacts/collect/{records.parquet, corpus.parquet, manifest.json, metrics.json}
"""

from pathlib import Path

from pipeline.core.artifacts.data_reports import Manifest, SourceRecord
from pipeline.core.artifacts.table_columns import CollectedCorpus, CollectedRecords
from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import Source
from pipeline.core.stage import Metrics, run_stage
from pipeline.data import sources
from pipeline.data.records import Record, write_records
from pipeline.problem.problems import problem_named

NO_CORPUS = (
    "collect  no corpus: the student learns from the labelled rows and texts made from them;"
    " a source of like texts without labels would make it better"
)
NO_LABELS = (
    "collect  no row has a label yet: people give them (annotations/) before anything is learned"
)


def run(params: Params, paths: Paths) -> Metrics:
    """Read every source; write a table of the rows with a label and one of all others, the corpus."""
    labelled: list[Record] = []
    corpus: list[Record] = []
    manifest = []
    for source in params.collect.sources:
        rows, entry = _collect(source, params, paths.data)
        manifest.append(entry)
        if source.role == "corpus":
            corpus += rows
            say(f"collect  {source.name}: {len(rows):,} rows")
            continue
        without = [row for row in rows if row.label is None]
        labelled += [row for row in rows if row.label is not None]
        corpus += without
        told = f", {len(without):,} of them without a label" if without else ""
        say(f"collect  {source.name}: {len(rows):,} rows{told}")
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
    sources.check_unique([*labelled, *corpus])
    write_records(paths.out / "records.parquet", labelled, CollectedRecords.columns())
    write_records(paths.out / "corpus.parquet", corpus, CollectedCorpus.columns())
    Manifest(sources=manifest).write(paths)
    return {
        "labelled_rows": len(labelled),
        "corpus_rows": len(corpus),
        "headline": f"{len(labelled):,} labelled, {len(corpus):,} corpus rows",
    }


def _collect(source: Source, params: Params, data: Path) -> tuple[list[Record], SourceRecord]:
    """The records of a source, and its entry in the manifest."""
    waived = sources.waiver(source, params.product.requirements)
    file, origin = sources.find(source, data)
    sha256 = sources.check_hash(source, file)
    rows = sources.read_source(
        source,
        file,
        problem=problem_named(params.product.problem),
        labels=params.product.labels,
        max_rows=params.collect.max_rows_per_source,
    )
    return rows, SourceRecord(
        name=source.name,
        kind=source.kind,
        origin=origin,
        licence=source.licence,
        waiver=waived,
        sha256=sha256,
        rows=len(rows),
        bytes=sources.bytes_of(file),
    )


if __name__ == "__main__":
    run_stage("collect", run)
