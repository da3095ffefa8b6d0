"""label: makes the gold labels, from the sources and the annotators' votes, and deals rows to splits.

Rows of the corpus that people labelled become labelled rows; the rest of the corpus is written anew,
without texts that hold one of theirs. Where too few rows have a label, the stage ends with a sheet of rows
for people to label, to_annotate.csv.

Reads   artifacts/validate/{records.parquet, corpus.parquet}, annotations/, splits/
Writes  artifacts/label/{records.parquet, corpus.parquet, agreement.json, metrics.json}; adds new texts
        to splits/
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.core.artifacts.data_reports import AgreementReport
from pipeline.core.artifacts.table_columns import LabelledRecords, RemainingCorpus
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.progress import say
from pipeline.core.sections import ValidateParams
from pipeline.core.split_files import ledger_file, read_ledger, write_ledger
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.agreement import agreement, checked_agreement
from pipeline.data.annotation_sheet import labels_needed, labels_wanted, write_sheet
from pipeline.data.annotations import Annotations, read_annotations, votes_on
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.leaking_rows import leaks
from pipeline.data.newly_labelled import joined, newly_labelled
from pipeline.data.records import Record, read_records, write_records
from pipeline.data.split_ledger import Dealt, deal
from pipeline.problem.problems import problem_named
from pipeline.text.bare_words import bare_words
from pipeline.text.split_assignment import check_splits


def run(params: Params, paths: Paths) -> Metrics:
    """Give each row its gold label, target and split; stop where annotators disagree too much."""
    product = params.product
    problem, labels = problem_named(product.problem), product.labels
    records = read_records(paths.read("validate", "records.parquet"))
    corpus = read_records(paths.read("validate", "corpus.parquet"))
    # A text of the corpus has no second one, so it cannot be a row of a product of pairs.
    known = {row.id for row in (records if product.pairs else [*records, *corpus])}
    votes = read_annotations(paths.annotations, problem=problem, labels=labels, known=known)
    given = votes_on(known, votes)
    gold = [_merged(record, given, product) for record in records]
    changed = sum(new.label != old.label for new, old in zip(gold, records, strict=True))
    new = newly_labelled(corpus, given, problem=problem, labels=labels)
    if new:
        gold = joined(gold, new, similarity=params.validate_.near_duplicate_similarity)
        corpus = _remaining(corpus, new, params.validate_)
    report = _report(votes, given, params, changed=changed, new=len(new))
    _require_labels(gold, corpus, params, paths)
    dealt = _deal(gold, params, paths)
    rows = [replace(row, split=split) for row, split in zip(gold, dealt.splits, strict=True)]
    write_records(paths.out / "records.parquet", rows, LabelledRecords.columns())
    write_records(paths.out / "corpus.parquet", corpus, RemainingCorpus.columns())
    report.write(paths)
    return {
        **report.as_json(),
        "rows": len(gold),
        "rows_dealt_before": dealt.known,
        "rows_moved": dealt.moved,
        "headline": f"{len(gold):,} gold labels, {report.annotated_rows:,} by annotators",
    }


def _report(
    votes: Annotations, given: Annotations, params: Params, *, changed: int, new: int
) -> AgreementReport:
    """Counts of the annotations, and how far the people agree.

    Args:
        given: the votes on rows of the data.

    Raises:
        DataError: the people surely agree less than `label.min_agreement`.
    """
    found = agreement(
        [[*row.values()] for row in given.values()],
        problem=problem_named(params.product.problem),
        labels=params.product.labels,
        seed=params.compute.seed,
    )
    return AgreementReport(
        annotated_rows=len(given),
        unknown_rows=len(votes) - len(given),
        annotators=len({annotator for row in given.values() for annotator in row}),
        alpha=found.alpha,
        interval=None if found.interval is None else [*found.interval],
        double_rows=found.double_rows,
        judgement=checked_agreement(found, params.label),
        changed_labels=changed,
        newly_labelled=new,
    )


def _require_labels(
    gold: Sequence[Record], corpus: Sequence[Record], params: Params, paths: Paths
) -> None:
    """Ends the stage where a label has too few rows.

    Raises:
        LabelsNeededError: people can label more rows, and a sheet of some is written.
        DataError: they cannot; or the labels say nothing, as where nearly all rows have the same.
    """
    problem, labels = problem_named(params.product.problem), params.product.labels
    cells = [row.label or "" for row in gold]
    counts = dict.fromkeys(labels, 0)
    for cell in cells:
        for label in problem.labels_in(cell, labels):
            counts[label] += 1
    limits, pairs = params.validate_, params.product.pairs
    if corpus and not pairs and min(counts.values()) < limits.min_rows_per_label:
        more = max(labels_wanted(len(labels), limits) - len(gold), limits.min_rows_per_label)
        sheet = paths.annotation_sheet
        write_sheet(sheet, corpus, most=more)
        raise labels_needed(
            counts, labelled=len(gold), unlabelled=len(corpus), limits=limits, sheet=sheet.name
        )
    with refusals_are_data_errors():
        problem.check_rows(cells, counts, limits=limits)


def _deal(records: Sequence[Record], params: Params, paths: Paths) -> Dealt:
    """Deals the rows to splits, which must each have rows of every label, and keeps it in the ledger."""
    settings, product = params.prepare, params.product
    file = ledger_file(
        paths.splits, product=product.name, salt=settings.salt, shares=settings.shares
    )
    dealt = deal(records, read_ledger(file), salt=settings.salt, shares=settings.shares)
    check_splits(
        dealt.splits,
        [record.target or [] for record in records],
        problem=problem_named(product.problem),
        labels=product.labels,
    )
    if dealt.moved:
        say(
            f"label  {dealt.moved:,} rows leave their split for a more protected one: new rows are near"
            " copies of rows of both"
        )
    write_ledger(file, dealt.ledger)
    return dealt


def _remaining(
    corpus: Sequence[Record], new: Sequence[Record], limits: ValidateParams
) -> list[Record]:
    """The corpus without the newly labelled rows and without texts that hold one of theirs."""
    taken = {row.id for row in new}
    rest = [row for row in corpus if row.id not in taken]
    found = leaks(
        [bare_words(row.text) for row in rest],
        [bare_words(row.text) for row in new],
        similarity=limits.near_duplicate_similarity,
    )
    say(
        f"label  {len(new):,} rows of the corpus got labels; {np.count_nonzero(found):,} others that hold"
        " their texts left the corpus"
    )
    return [row for row, leak in zip(rest, found, strict=True) if not leak]


def _merged(record: Record, votes: Annotations, product: Product) -> Record:
    """The record with its gold label, and the target that a model learns."""
    label, problem = record.label or "", problem_named(product.problem)
    if given := votes.get(record.id):
        label = problem.merged([*given.values()], labels=product.labels, otherwise=label)
    return replace(record, label=label, target=problem.target(label, product.labels))


if __name__ == "__main__":
    run_stage("label", run, extends=["splits"])
