"""label: makes the gold labels, from the sources and from the annotators' votes.

Reads   artifacts/validate/records.parquet, annotations/
Writes  artifacts/label/{records.parquet, agreement.json, metrics.json}
"""

from dataclasses import replace

from pipeline.core.artifacts.data_reports import AgreementReport
from pipeline.core.artifacts.table_columns import LabelledRecords
from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.agreement import agreement
from pipeline.data.annotations import Annotations, read_annotations
from pipeline.data.records import Record, read_records, write_records
from pipeline.problem.problems import problem_named


def run(params: Params, paths: Paths) -> Metrics:
    """Give each row its gold label and target; stop where annotators disagree too much."""
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
    write_records(paths.out / "records.parquet", gold, LabelledRecords.columns())
    agreed.write(paths)
    return {
        **agreed.as_json(),
        "rows": len(gold),
        "headline": f"{len(gold):,} gold labels, {agreed.annotated_rows:,} by annotators",
    }


def _merged(record: Record, votes: Annotations, product: Product) -> Record:
    """The record with its gold label, and the target that a model learns."""
    label, problem = record.label or "", problem_named(product.problem)
    if given := votes.get(record.id):
        label = problem.merged([*given.values()], labels=product.labels, otherwise=label)
    return replace(record, label=label, target=problem.target(label, product.labels))


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
    run_stage("label", run)
