"""label: makes the gold labels, from the sources and the annotators' votes, and deals rows to splits.

Reads   artifacts/validate/records.parquet, annotations/, splits/
Writes  artifacts/label/{records.parquet, agreement.json, metrics.json}; adds new texts to splits/
"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.core.artifacts.data_reports import AgreementReport
from pipeline.core.artifacts.table_columns import LabelledRecords
from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.agreement import agreement
from pipeline.data.annotations import Annotations, read_annotations
from pipeline.data.records import Record, read_records, write_records
from pipeline.data.split_ledger import Dealt, deal, ledger_file, read_ledger, write_ledger
from pipeline.problem.problems import problem_named
from pipeline.text.split_assignment import check_splits


def run(params: Params, paths: Paths) -> Metrics:
    """Give each row its gold label, target and split; stop where annotators disagree too much."""
    product = params.product
    problem, labels = problem_named(product.problem), product.labels
    records = read_records(paths.read("validate", "records.parquet"))
    votes = read_annotations(paths.annotations, problem=problem, labels=labels)
    gold = [_merged(record, votes, product) for record in records]
    changed = sum(new.label != old.label for new, old in zip(gold, records, strict=True))
    known = {record.id for record in records}
    agreed = _agreement(votes, known=known, changed=changed, product=product)
    alpha, limit = agreed.alpha, params.label.min_agreement
    if alpha is not None and alpha < limit:
        raise DataError(
            f"Krippendorff's alpha of the annotations is {alpha:.3f}",
            expected=f"at least {limit} (label.min_agreement)",
            next_step="make the instructions clearer and annotate again, or lower the limit",
        )
    dealt = _deal(gold, params, paths)
    rows = [replace(row, split=split) for row, split in zip(gold, dealt.splits, strict=True)]
    write_records(paths.out / "records.parquet", rows, LabelledRecords.columns())
    agreed.write(paths)
    return {
        **agreed.as_json(),
        "rows": len(gold),
        "rows_dealt_before": dealt.known,
        "rows_moved": dealt.moved,
        "headline": f"{len(gold):,} gold labels, {agreed.annotated_rows:,} by annotators",
    }


def _merged(record: Record, votes: Annotations, product: Product) -> Record:
    """The record with its gold label, and the target that a model learns."""
    label, problem = record.label or "", problem_named(product.problem)
    if given := votes.get(record.id):
        label = problem.merged([*given.values()], labels=product.labels, otherwise=label)
    return replace(record, label=label, target=problem.target(label, product.labels))


def _deal(records: Sequence[Record], params: Params, paths: Paths) -> Dealt:
    """Deals the rows to splits, which must each have rows of every label, and keeps it in the ledger."""
    settings, product = params.prepare, params.product
    dealing = {"salt": settings.salt, "shares": settings.shares}
    file = ledger_file(paths.splits, product=product.name, **dealing)
    dealt = deal(records, read_ledger(file), **dealing)
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


def _agreement(
    votes: Annotations, *, known: set[str], changed: int, product: Product
) -> AgreementReport:
    """Counts and alpha of the annotations; rows that validate took out count as unknown."""
    rows = [votes[identifier] for identifier in votes if identifier in known]
    if votes and not rows:
        raise DataError(
            f"{len(votes):,} annotated ids, such as {next(iter(votes))!r}, and none is in the data",
            expected="ids of artifacts/validate/records.parquet",
            next_step="annotate rows of these data, or empty annotations/",
        )
    return AgreementReport(
        annotated_rows=len(rows),
        unknown_rows=len(votes) - len(rows),
        annotators=len({annotator for row in rows for annotator in row}),
        alpha=agreement(
            [list(row.values()) for row in rows],
            problem=problem_named(product.problem),
            labels=product.labels,
        ),
        changed_labels=changed,
    )


if __name__ == "__main__":
    run_stage("label", run, extends=["splits"])
