"""label: makes the gold labels, from the sources and from the annotators' votes.

Reads   artifacts/validate/records.parquet, annotations/
Writes  artifacts/label/{records.parquet, agreement.json, metrics.json}
"""

from collections.abc import Collection
from dataclasses import replace

from pipeline.core.artifacts.data_reports import AgreementJudgement, AgreementReport
from pipeline.core.artifacts.table_columns import LabelledRecords
from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.progress import say
from pipeline.core.sections import LabelParams
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.agreement import Agreement, agreement
from pipeline.data.annotations import Annotations, read_annotations
from pipeline.data.records import Record, read_records, write_records
from pipeline.problem.problems import problem_named

_EXAMPLES = 5


def run(params: Params, paths: Paths) -> Metrics:
    """Give each row its gold label and target; stop where annotators disagree too much."""
    product = params.product
    problem, labels = problem_named(product.problem), product.labels
    records = read_records(paths.read("validate", "records.parquet"))
    known = {record.id for record in records}
    votes = read_annotations(paths.annotations, problem=problem, labels=labels, known=known)
    given = _of_the_data(votes, known)
    found = agreement(
        [[*row.values()] for row in given.values()],
        problem=problem,
        labels=labels,
        seed=params.compute.seed,
    )
    judgement = _judgement(found, params.label)
    gold = [_merged(record, given, product) for record in records]
    changed = sum(new.label != old.label for new, old in zip(gold, records, strict=True))
    report = AgreementReport(
        annotated_rows=len(given),
        unknown_rows=len(votes) - len(given),
        annotators=len({annotator for row in given.values() for annotator in row}),
        alpha=found.alpha,
        interval=None if found.interval is None else [*found.interval],
        double_rows=found.double_rows,
        judgement=judgement,
        changed_labels=changed,
    )
    write_records(paths.out / "records.parquet", gold, LabelledRecords.columns())
    report.write(paths)
    return {
        **report.as_json(),
        "rows": len(gold),
        "headline": f"{len(gold):,} gold labels, {report.annotated_rows:,} by annotators",
    }


def _of_the_data(votes: Annotations, known: Collection[str]) -> Annotations:
    """The votes on rows of the data; says how many are on others, such as validate took out.

    Raises:
        DataError: none is on a row of the data.
    """
    unknown = [identifier for identifier in votes if identifier not in known]
    if votes and len(unknown) == len(votes):
        raise DataError(
            f"{len(votes):,} annotated ids, such as {unknown[0]!r}, and none is in the data",
            expected="ids of artifacts/validate/records.parquet",
            next_step="annotate rows of these data, or empty annotations/",
        )
    if unknown:
        say(
            f"label  {len(unknown):,} of {len(votes):,} annotated ids are of no row, and their labels"
            f" are not used: {', '.join(unknown[:_EXAMPLES])}{', …' * (len(unknown) > _EXAMPLES)}"
        )
    return {identifier: row for identifier, row in votes.items() if identifier in known}


def _judgement(found: Agreement, limits: LabelParams) -> AgreementJudgement:
    """What the agreement says of its limit; says it aloud where it says nothing certain.

    Raises:
        DataError: enough rows show that people agree less than the limit.
    """
    least, rows = limits.min_agreement, limits.min_double_rows
    judgement = found.judgement(min_agreement=least, min_double_rows=rows)
    if found.interval is None:
        return judgement
    low, high = found.interval
    alpha = (
        f"Krippendorff's alpha of the annotations is {found.alpha:.3f} (95 % interval {low:.3f} to"
        f" {high:.3f}; {found.double_rows:,} rows that several people labelled)"
    )
    if judgement == "missed":
        raise DataError(
            alpha,
            expected=f"at least {least} (label.min_agreement)",
            next_step="make the instructions clearer and annotate again, or lower the limit",
        )
    if judgement == "inconclusive":
        say(
            f"label  {alpha}: inconclusive, for at least {least} is wanted, shown on {rows:,} rows or"
            " more; let several people label more rows"
        )
    return judgement


def _merged(record: Record, votes: Annotations, product: Product) -> Record:
    """The record with its gold label, and the target that a model learns."""
    label, problem = record.label or "", problem_named(product.problem)
    if given := votes.get(record.id):
        label = problem.merged([*given.values()], labels=product.labels, otherwise=label)
    return replace(record, label=label, target=problem.target(label, product.labels))


if __name__ == "__main__":
    run_stage("label", run)
