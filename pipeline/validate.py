"""validate: cleans the texts, takes out rows that must not be learned from, and describes the rest.

Reads   artifacts/collect/
Writes  artifacts/validate/{records.parquet, corpus.parquet, rejects.parquet, report.json,
        data_card.md, report.html, croissant.json, metrics.json}
"""

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np

from pipeline.acceptance.term_findings import count_terms, leaning_terms, term_reports
from pipeline.core.artifacts.data_reports import (
    DataReport,
    Manifest,
    NearDuplicates,
    NumberSpread,
    PersonalData,
)
from pipeline.core.artifacts.table_columns import (
    SOURCE_ID,
    CollectedRecords,
    Rejects,
    ValidatedCorpus,
    ValidatedRecords,
)
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file, write_json, write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data import check_reports, row_checks, row_languages
from pipeline.data.cleaned_rows import REFUSE
from pipeline.data.label_cells import LabelCells, label_cells, label_counts, rows_by_label
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.records import record_schema
from pipeline.data.row_batches import rows_of_table
from pipeline.data.table_limits import require_usable_corpus, require_words
from pipeline.data.tables import column_names, table_writer
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
    rows, others = (
        rows_of_table(paths.read("collect", name), folder=paths.out)
        for name in ("records.parquet", "corpus.parquet")
    )
    paths.out.mkdir(parents=True, exist_ok=True)
    labelled = row_checks.check_labelled(rows, limits)
    shares = check_reports.checked_shares(labelled, limits)
    require_words(labelled)
    if disputed := check_reports.counts_by_reason(labelled).get(row_checks.CONFLICT):
        say(f"validate  {disputed:,} labelled rows left out: {row_checks.CONFLICT}")
    cells = label_cells(table["label"] for table in labelled.kept_parts(["label"]))
    counts = label_counts(cells, problem, params.product.labels)
    if not others.count or params.product.pairs:  # else people may label more, and `label` looks
        with refusals_are_data_errors():
            problem.check_rows(cells, counts, limits=limits)
        _check_clusters(labelled, cells, params.product)
    if others.count:
        say(f"validate  {others.count:,} corpus rows against {len(labelled.kept):,} labelled ones")
    words = labelled.words() if others.count else []
    unlabelled = row_checks.check_corpus(others, words, limits)
    require_usable_corpus(unlabelled, limits)
    require_words(unlabelled)
    if limits.personal_data == REFUSE:
        check_reports.require_no_personal_data(labelled, unlabelled)
    spread = problem.spread(cells) if cells else None
    finder = TermFinder(chosen_terms(params.product.identity_terms))
    terms = count_terms(_texts_and_labels(labelled, params.product), finder)
    report = DataReport(
        language=likely_language(script_shares(_first_texts(labelled, unlabelled))),
        languages=[
            *row_languages.source_languages(labelled, table="labelled"),
            *row_languages.source_languages(unlabelled, table="corpus"),
            *row_languages.label_languages(labelled, cells, problem, params.product.labels),
        ],
        limits=limits,
        labels=counts,
        numbers=None if spread is None else NumberSpread(**spread),
        shares=shares,
        labelled=check_reports.summary(labelled),
        corpus=check_reports.summary(unlabelled),
        near_duplicates=_near_duplicates(labelled),
        personal_data=PersonalData(
            labelled=check_reports.personal_data(labelled),
            corpus=check_reports.personal_data(unlabelled),
        ),
        identity_terms=term_reports(terms, params.product.labels),
        leaning_terms=leaning_terms(terms, counts, total=len(labelled.kept)),
        note=check_reports.NOTE,
    )
    source_ids = SOURCE_ID in column_names(paths.read("collect", "records.parquet"))
    _save(labelled, unlabelled, report, paths=paths, source_ids=source_ids)
    _describe(params.product.name, report, paths, source_ids=source_ids)
    return _metrics(report)


def _texts_and_labels(
    labelled: row_checks.Checked, product: Product
) -> Iterator[tuple[list[str], list[str]]]:
    """Texts and labels of each row that passed."""
    problem = problem_named(product.problem)
    for table in labelled.kept_parts(["text", "second", "label"]):
        for text, second, label in zip(
            *(column.to_pylist() for column in table.columns[:3]), strict=True
        ):
            texts = [text] if second is None else [text, second]
            yield texts, problem.labels_in(label or "", product.labels)


def _first_texts(*tables: row_checks.Checked) -> list[str]:
    """Some of the texts that passed, those of the first table first."""
    parts = chain.from_iterable(table.kept_parts(["text"]) for table in tables)
    return [*islice((text for part in parts for text in part["text"].to_pylist()), _SOME_TEXTS)]


def _near_duplicates(labelled: row_checks.Checked) -> NearDuplicates:
    """Counts the clusters of several near copies, and the rows in them."""
    _, sizes = np.unique(labelled.clusters, return_counts=True)
    several = sizes[sizes > 1]
    return NearDuplicates(clusters=len(several), rows_in_clusters=int(several.sum()))


def _check_clusters(labelled: row_checks.Checked, cells: LabelCells, product: Product) -> None:
    """Refuses rows that cannot be dealt to splits: enough rows of a label may be near copies of a few."""
    problem = problem_named(product.problem)
    clusters = {
        label: len(np.unique(labelled.clusters[rows]))
        for label, rows in rows_by_label(cells, problem, product.labels)
    }
    label = min(clusters, key=clusters.__getitem__)
    if clusters[label] < len(SPLITS):
        raise DataError(
            f"the rows of {label!r} are near copies of one another: there are {clusters[label]} different"
            " ones",
            expected=f"at least {len(SPLITS)}, for near copies stay in one split and"
            f" {problem.words.every_split}",
            next_step=f"add rows of {label!r} that are no near copies of these",
        )


def _save(
    labelled: row_checks.Checked,
    corpus: row_checks.Checked,
    report: DataReport,
    *,
    paths: Paths,
    source_ids: bool,
) -> None:
    """Writes the tables, of which a part is in memory at a time, and the report.

    Args:
        source_ids: whether the sources' own ids are a column of the tables.
    """
    names = CollectedRecords.columns(source_ids=source_ids)
    for file, table, checked in (
        ("records.parquet", ValidatedRecords, labelled),
        ("corpus.parquet", ValidatedCorpus, corpus),
    ):
        schema = record_schema(table.columns(source_ids=source_ids))
        with table_writer(paths.out / file, schema) as writer:
            for rows in checked.kept_parts(names):
                writer.add(rows)
    schema = record_schema(Rejects.columns(source_ids=source_ids))
    with table_writer(paths.out / "rejects.parquet", schema) as writer:
        for checked in (labelled, corpus):
            for rows in checked.taken_parts(names):
                writer.add(rows)
    report.write(paths)


def _describe(product: str, report: DataReport, paths: Paths, *, source_ids: bool) -> None:
    """Writes what the report and the manifest say: for people, as text and as a page, and for programs."""
    sources, records = Manifest.read(paths).sources, paths.out / "records.parquet"
    write_text(paths.out / "data_card.md", data_card(sources, report))
    write_text(paths.out / "report.html", data_page(product, sources, report))
    described = croissant(
        product,
        sources,
        report,
        sha256=sha256_file(records),
        size=records.stat().st_size,
        source_ids=source_ids,
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
