"""validate: cleans the texts, takes out rows that must not be learned from, and describes the rest.

Reads   artifacts/collect/
Writes  artifacts/validate/{records.parquet, corpus.parquet, rejects.parquet, report.json,
        data_card.md, metrics.json}
"""

from collections.abc import Sequence

from pipeline.core.artifacts.data_reports import (
    DataReport,
    Manifest,
    NearDuplicates,
    PersonalData,
)
from pipeline.core.artifacts.table_columns import Rejects, ValidatedCorpus, ValidatedRecords
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data import balance, row_checks
from pipeline.data.duplicates import groups
from pipeline.data.privacy import personal_data
from pipeline.data.records import Record, read_records, to_columns, write_records
from pipeline.data.tables import text_schema, write_table
from pipeline.problem.problems import problem_named
from pipeline.report.data_card import data_card


def run(params: Params, paths: Paths) -> Metrics:
    """Check the labelled rows, and the corpus against them; stop where a limit is broken."""
    records = read_records(paths.read("collect", "records.parquet"))
    corpus = read_records(paths.read("collect", "corpus.parquet"))
    labelled = row_checks.check_labelled(records, params.validate_)
    shares = row_checks.shares(len(records), labelled.rejects)
    reasons = row_checks.counts_by_reason(labelled.rejects)
    why = ", ".join(f"{reason}: {count:,}" for reason, count in reasons.items())
    balance.check_shares(shares, params=params.validate_, why=why)
    problem = problem_named(params.product.problem)
    counts = balance.label_counts(labelled.records, problem=problem, labels=params.product.labels)
    balance.check_balance(labelled.records, counts, problem=problem, params=params.validate_)
    say(f"validate  {len(corpus):,} corpus rows against {len(labelled.records):,} labelled ones")
    unlabelled = row_checks.check_corpus(corpus, labelled.records, params.validate_)
    say("validate  personal data")
    report = DataReport(
        limits=params.validate_,
        labels=counts,
        numbers=balance.spread(labelled.records, problem=problem),
        shares=shares,
        labelled=row_checks.summary(len(records), labelled),
        corpus=row_checks.summary(len(corpus), unlabelled),
        near_duplicates=_clusters(labelled.records),
        personal_data=PersonalData(
            labelled=personal_data(row_checks.texts(labelled.records)),
            corpus=personal_data(row_checks.texts(unlabelled.records)),
        ),
        note=row_checks.NOTE,
    )
    _save(labelled, unlabelled, report, paths=paths)
    return _metrics(report)


def _save(
    labelled: row_checks.Checked, corpus: row_checks.Checked, report: DataReport, *, paths: Paths
) -> None:
    write_records(paths.out / "records.parquet", labelled.records, ValidatedRecords.columns())
    write_records(paths.out / "corpus.parquet", corpus.records, ValidatedCorpus.columns())
    rejects, (*names, reason) = labelled.rejects + corpus.rejects, Rejects.columns()
    columns = to_columns([reject.record for reject in rejects], names)
    columns |= to_columns(rejects, [reason])
    write_table(paths.out / "rejects.parquet", columns, schema=text_schema(*names, reason))
    report.write(paths)
    card = data_card(Manifest.read(paths).sources, report)
    write_text(paths.out / "data_card.md", card)


def _clusters(records: Sequence[Record]) -> NearDuplicates:
    clusters = groups(record.cluster for record in records)
    sizes = [len(rows) for rows in clusters if len(rows) > 1]
    return NearDuplicates(clusters=len(sizes), rows_in_clusters=sum(sizes))


def _metrics(report: DataReport) -> Metrics:
    tables = report.labelled, report.corpus
    labelled, corpus = (table.rows_out for table in tables)
    taken = sum(table.rows_in - table.rows_out for table in tables)
    return {
        "labelled_rows": labelled,
        "corpus_rows": corpus,
        "rejected_rows": taken,
        "headline": f"{labelled:,} labelled, {corpus:,} corpus rows; {taken:,} taken out",
    }


if __name__ == "__main__":
    run_stage("validate", run)
