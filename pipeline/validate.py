"""validate: cleans the texts, takes out rows that must not be learned from, and describes the rest.

Reads   artifacts/collect/
Writes  artifacts/validate/{records.parquet, corpus.parquet, rejects.parquet, report.json,
        data_card.md, report.html, croissant.json, metrics.json}
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.acceptance.term_findings import count_terms, leaning_terms, term_reports
from pipeline.core.artifacts.data_reports import (
    DataReport,
    Manifest,
    NearDuplicates,
    NumberSpread,
    PersonalData,
)
from pipeline.core.artifacts.table_columns import Rejects, ValidatedCorpus, ValidatedRecords
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file, write_json, write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data import row_checks
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.records import Record, read_records, write_records
from pipeline.data.table_limits import require_usable_corpus, require_words
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named
from pipeline.report.croissant import croissant
from pipeline.report.data_card import data_card
from pipeline.report.data_page import data_page
from pipeline.text.identity_terms import chosen_terms
from pipeline.text.scripts import likely_language, script_shares
from pipeline.text.split_assignment import SPLITS
from pipeline.text.term_finding import TermFinder

_SOME_TEXTS = 1000
"""Texts that tell the language; rows are in the order of a hash, so the first are a random choice."""


def run(params: Params, paths: Paths) -> Metrics:
    """Check the labelled rows, and the corpus against them; stop where a limit is broken."""
    limits, problem = params.validate_, problem_named(params.product.problem)
    records = read_records(paths.read("collect", "records.parquet"))
    corpus = read_records(paths.read("collect", "corpus.parquet"))
    labelled = row_checks.check_labelled(records, limits)
    shares = row_checks.checked_shares(len(records), labelled.rejects, limits)
    require_words(labelled.records)
    if disputed := sum(row.reason == row_checks.CONFLICT for row in labelled.rejects):
        say(f"validate  {disputed:,} labelled rows left out: {row_checks.CONFLICT}")
    labels, cells = params.product.labels, [record.label or "" for record in labelled.records]
    counted = Counter(label for cell in cells for label in problem.labels_in(cell, labels))
    counts = {label: counted[label] for label in labels}
    if not corpus or params.product.pairs:  # else people may label more, and `label` looks
        with refusals_are_data_errors():
            problem.check_rows(cells, counts, limits=limits)
        _check_clusters(labelled.records, problem, labels)
    if corpus:
        say(
            f"validate  {len(corpus):,} corpus rows against {len(labelled.records):,} labelled ones"
        )
    unlabelled = row_checks.check_corpus(corpus, labelled.records, limits)
    require_usable_corpus(corpus, unlabelled.rejects, limits)
    require_words(unlabelled.records)
    if limits.personal_data == row_checks.REFUSE:
        row_checks.require_no_personal_data([*labelled.records, *unlabelled.records])
    spread = problem.spread(cells) if cells else None
    finder = TermFinder(chosen_terms(params.product.identity_terms))
    terms = count_terms(_texts_and_labels(labelled.records, problem, labels), finder)
    some = [record.text for record in [*labelled.records, *unlabelled.records][:_SOME_TEXTS]]
    report = DataReport(
        language=likely_language(script_shares(some)),
        limits=limits,
        labels=counts,
        numbers=None if spread is None else NumberSpread(**spread),
        shares=shares,
        labelled=row_checks.summary(len(records), labelled),
        corpus=row_checks.summary(len(corpus), unlabelled),
        near_duplicates=_near_duplicates(labelled.records),
        personal_data=PersonalData(
            labelled=row_checks.personal_data(labelled.records),
            corpus=row_checks.personal_data(unlabelled.records),
        ),
        identity_terms=term_reports(terms, labels),
        leaning_terms=leaning_terms(terms, counts, total=len(labelled.records)),
        note=row_checks.NOTE,
    )
    _save(labelled, unlabelled, report, paths=paths)
    _describe(params.product.name, report, paths)
    return _metrics(report)


def _texts_and_labels(
    records: Sequence[Record], problem: Problem, labels: Sequence[str]
) -> Iterator[tuple[list[str], list[str]]]:
    """Texts and labels of each row."""
    for record in records:
        texts = [record.text] if record.second is None else [record.text, record.second]
        yield texts, problem.labels_in(record.label or "", labels)


def _near_duplicates(records: Sequence[Record]) -> NearDuplicates:
    """Counts the clusters of several near copies, and the rows in them."""
    sizes = [size for size in Counter(row.cluster for row in records).values() if size > 1]
    return NearDuplicates(clusters=len(sizes), rows_in_clusters=sum(sizes))


def _check_clusters(records: Sequence[Record], problem: Problem, labels: Sequence[str]) -> None:
    """Refuses rows that cannot be dealt to splits: enough rows of a label may be near copies of a few."""
    clusters: dict[str, set[str]] = {label: set() for label in labels}
    for record in records:
        for label in problem.labels_in(record.label or "", labels):
            clusters[label].add(record.cluster or "")
    label, found = min(clusters.items(), key=lambda entry: len(entry[1]))
    if len(found) < len(SPLITS):
        raise DataError(
            f"the rows of {label!r} are near copies of one another: there are {len(found)} different ones",
            expected=f"at least {len(SPLITS)}, for near copies stay in one split and"
            f" {problem.words.every_split}",
            next_step=f"add rows of {label!r} that are no near copies of these",
        )


def _save(
    labelled: row_checks.Checked, corpus: row_checks.Checked, report: DataReport, *, paths: Paths
) -> None:
    write_records(paths.out / "records.parquet", labelled.records, ValidatedRecords.columns())
    write_records(paths.out / "corpus.parquet", corpus.records, ValidatedCorpus.columns())
    rejects = labelled.rejects + corpus.rejects
    write_records(paths.out / "rejects.parquet", rejects, Rejects.columns())
    report.write(paths)


def _describe(product: str, report: DataReport, paths: Paths) -> None:
    """Writes what the report and the manifest say: for people, as text and as a page, and for programs."""
    sources, records = Manifest.read(paths).sources, paths.out / "records.parquet"
    write_text(paths.out / "data_card.md", data_card(sources, report))
    write_text(paths.out / "report.html", data_page(product, sources, report))
    described = croissant(
        product, sources, report, sha256=sha256_file(records), size=records.stat().st_size
    )
    write_json(paths.out / "croissant.json", described)


def _metrics(report: DataReport) -> Metrics:
    labelled, corpus = report.labelled.rows_out, report.corpus.rows_out
    taken = report.labelled.rows_in + report.corpus.rows_in - labelled - corpus
    headline = f"{labelled:,} labelled, {corpus:,} corpus rows; {taken:,} taken out"
    counts = {"labelled_rows": labelled, "corpus_rows": corpus, "rejected_rows": taken}
    return counts | {"headline": headline}


if __name__ == "__main__":
    run_stage("validate", run)
