"""label: makes the gold labels, from the sources and the annotators' votes, and deals rows to splits.

Rows of the corpus that people labelled become labelled rows; the rest of the corpus is written anew,
without texts that hold one of theirs. Where too few rows have a label, the stage ends with a sheet of rows
for people to label, to_annotate.csv.

Reads   artifacts/validate/{records.parquet, corpus.parquet}, annotations/, splits/
Writes  artifacts/label/{records.parquet, corpus.parquet, agreement.json, metrics.json}; adds new texts
        to splits/
"""

import shutil
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.core.artifacts.data_reports import AgreementFindings, AgreementReport
from pipeline.core.artifacts.table_columns import SOURCE_ID, LabelledRecords, RemainingCorpus
from pipeline.core.files import atomic_path
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Product
from pipeline.core.progress import say
from pipeline.core.split_files import PROTECTED, ledger_file
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.adjudications import Adjudications, decided, read_adjudications, soft_labels
from pipeline.data.agreement import Agreement, agreement, checked_agreement
from pipeline.data.annotation_sheet import labels_needed, labels_wanted, write_sheet
from pipeline.data.annotations import Annotations, read_annotations, votes_on
from pipeline.data.disputed_votes import disputed_rows
from pipeline.data.gold_rows import GoldRows, gold_rows
from pipeline.data.label_cells import label_counts
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.newly_labelled import newly_labelled
from pipeline.data.records import Record, record_schema
from pipeline.data.remaining_corpus import RemainingRows, without_labelled
from pipeline.data.row_ids import Ids, KnownIds, numbers_of, read_ids
from pipeline.data.split_ledger import Dealt, deal, read_split_ledger, write_split_ledger
from pipeline.data.tables import column_names, table_writer
from pipeline.metrics.agreement_details import AgreementDetails, agreement_details
from pipeline.problem.problems import problem_named
from pipeline.text.split_assignment import check_splits


def run(params: Params, paths: Paths) -> Metrics:
    """Give each row its gold label, target and split; stop where annotators disagree too much."""
    product = params.product
    problem, labels = problem_named(product.problem), product.labels
    records, corpus = (
        paths.read("validate", name) for name in ("records.parquet", "corpus.parquet")
    )
    paths.out.mkdir(parents=True, exist_ok=True)
    ids, others = read_ids(records), read_ids(corpus)
    # A text of the corpus has no second one, so it cannot be a row of a product of pairs.
    known = KnownIds(ids if product.pairs else np.append(ids, others))
    votes = read_annotations(paths.annotations, problem=problem, labels=labels, known=known)
    given = votes_on(known, votes)
    decisions = read_adjudications(paths.annotations, problem=problem, labels=labels, known=known)
    details = agreement_details(
        given, problem=problem, labels=labels, seed=params.compute.seed, decided=decisions
    )
    merged = given if params.label.merge == "majority" else details.deciding()
    deciding = decided(merged, decisions)
    voted = RemainingRows(path=corpus, stays=np.isin(others, numbers_of([*deciding])))
    new = newly_labelled(voted.records(), deciding, problem=problem, labels=labels)
    similarity = params.validate_.near_duplicate_similarity
    gold = gold_rows(
        records,
        new,
        deciding,
        problem=problem,
        labels=labels,
        similarity=similarity,
        folder=paths.out,
    )
    rest = RemainingRows(path=corpus, stays=np.ones(len(others), dtype=np.bool_))
    if new:
        rest = _remaining(rest, others, new, params, paths)
    soft = _soft_labels(decisions, params)
    report = _report(
        votes,
        given,
        details,
        params,
        decisions=decisions,
        soft=len(soft),
        changed=gold.changed,
        new=len(new),
    )
    spammers = [person.name for person in report.people if person.is_spammer]
    _say_spammers(spammers, report)
    _require_labels(gold, rest, params, paths)
    dealt = _deal(gold, params, paths)
    _save(gold, dealt, rest, params, paths, soft=soft)
    report.write(paths)
    return {
        **report.model_dump(exclude={*AgreementFindings.model_fields}),
        "spammers": len(spammers),
        "rows": len(gold.ids),
        "rows_dealt_before": dealt.known,
        "rows_moved": dealt.moved,
        "headline": f"{len(gold.ids):,} gold labels, {report.annotated_rows:,} by annotators",
    }


def _report(
    votes: Annotations,
    given: Annotations,
    details: AgreementDetails,
    params: Params,
    *,
    decisions: Adjudications,
    soft: int,
    changed: int,
    new: int,
) -> AgreementReport:
    """Counts of the annotations, and how far the people agree.

    Args:
        given: the votes on rows of the data.
        details: what they tell.
        soft: how many rows keep a soft label.

    Raises:
        DataError: the people surely agree less than `label.min_agreement`.
    """
    found, product = _agreement(given, details, params), params.product
    problem = problem_named(product.problem)
    disputed = disputed_rows(given, problem=problem, labels=product.labels)
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
        adjudicated_rows=len(decisions),
        disputed_rows=len(disputed - decisions.keys()),
        soft_rows=soft,
        merge=params.label.merge,
        **dict(details.findings),
    )


def _soft_labels(decisions: Adjudications, params: Params) -> dict[str, list[float]]:
    """Row id → its soft label; nothing where `label.soft_labels` is off."""
    if not params.label.soft_labels:
        return {}
    product = params.product
    return soft_labels(decisions, problem=problem_named(product.problem), labels=product.labels)


def _agreement(given: Annotations, details: AgreementDetails, params: Params) -> Agreement:
    """Returns alpha of the votes on which the build is judged; of labels, that of the details."""
    if (found := details.findings.coefficients) is None:
        return agreement(
            [[*row.values()] for row in given.values()],
            problem=problem_named(params.product.problem),
            labels=params.product.labels,
            seed=params.compute.seed,
        )
    double = sum(len(row) > 1 for row in given.values())
    if found.alpha is None:
        return Agreement(double)
    low, high = found.alpha.interval
    return Agreement(double, found.alpha.value, (low, high))


def _say_spammers(names: Sequence[str], report: AgreementReport) -> None:
    """Says who answers no better than chance; nothing where nobody does."""
    if names:
        outvoted = "; `label.merge: dawid_skene` would give them hardly any weight"
        say(
            f"label  {len(names):,} of {report.annotators:,} people answer no better than chance:"
            f" {', '.join(names)}{outvoted * (report.merge == 'majority')}"
        )


def _require_labels(gold: GoldRows, corpus: RemainingRows, params: Params, paths: Paths) -> None:
    """Ends the stage where a label has too few rows.

    Raises:
        LabelsNeededError: people can label more rows, and a sheet of some is written.
        DataError: they cannot; or the labels say nothing, as where nearly all rows have the same.
    """
    problem, labels = problem_named(params.product.problem), params.product.labels
    counts, rows = label_counts(gold.cells, problem, labels), len(gold.ids)
    limits, pairs = params.validate_, params.product.pairs
    if corpus.count and not pairs and min(counts.values()) < limits.min_rows_per_label:
        more = max(labels_wanted(len(labels), limits) - rows, limits.min_rows_per_label)
        sheet = paths.annotation_sheet
        write_sheet(sheet, corpus.records(), most=more)
        raise labels_needed(
            counts, labelled=rows, unlabelled=corpus.count, limits=limits, sheet=sheet.name
        )
    with refusals_are_data_errors():
        problem.check_rows(gold.cells, counts, limits=limits)


def _deal(gold: GoldRows, params: Params, paths: Paths) -> Dealt:
    """Deals the rows to splits, which must each have rows of every label, and keeps it in the ledger."""
    settings, product = params.prepare, params.product
    file = ledger_file(
        paths.splits, product=product.name, salt=settings.salt, shares=settings.shares
    )
    dealt = deal(
        gold.keys,
        gold.clusters,
        read_split_ledger(file),
        salt=settings.salt,
        shares=settings.shares,
    )
    # A split that has a target once is as good as one that has it often.
    different = np.unique(np.stack([dealt.splits, gold.cells.codes]), axis=1).tolist()
    targets = _targets(gold, product)
    check_splits(
        [PROTECTED[split] for split in different[0]],
        [targets[cell] for cell in different[1]],
        problem=problem_named(product.problem),
        labels=product.labels,
    )
    if dealt.moved:
        say(
            f"label  {dealt.moved:,} rows leave their split for a more protected one: new rows are near"
            " copies of rows of both"
        )
    write_split_ledger(file, dealt.ledger)
    return dealt


def _remaining(
    corpus: RemainingRows, ids: Ids, new: Sequence[Record], params: Params, paths: Paths
) -> RemainingRows:
    """The corpus without the newly labelled rows and without texts that hold one of theirs."""
    rest, leaking = without_labelled(
        corpus.path,
        ids,
        new,
        similarity=params.validate_.near_duplicate_similarity,
        folder=paths.out,
    )
    say(
        f"label  {len(new):,} rows of the corpus got labels; {leaking:,} others that hold"
        " their texts left the corpus"
    )
    return rest


def _targets(gold: GoldRows, product: Product) -> list[list[float]]:
    """Targets of the different labels, which a model learns."""
    problem = problem_named(product.problem)
    return [problem.target(cell, product.labels) for cell in gold.cells.different]


def _save(
    gold: GoldRows,
    dealt: Dealt,
    rest: RemainingRows,
    params: Params,
    paths: Paths,
    *,
    soft: Mapping[str, Sequence[float]],
) -> None:
    """Writes the labelled rows and the rest of the corpus, of which a part is in memory at a time.

    Args:
        soft: row id → its soft label.
    """
    splits = pa.DictionaryArray.from_arrays(pa.array(dealt.splits), pa.array(PROTECTED))
    source_ids = SOURCE_ID in column_names(rest.path)
    schema = record_schema(LabelledRecords.columns(source_ids=source_ids, soft=bool(soft)))
    with table_writer(paths.out / "records.parquet", schema) as writer:
        for rows in gold.parts(_targets(gold, params.product), splits, soft=soft):
            writer.add(rows)
    if rest.stays.all():
        with atomic_path(paths.out / "corpus.parquet") as temporary:
            shutil.copyfile(rest.path, temporary)
        return
    schema = record_schema(RemainingCorpus.columns(source_ids=source_ids))
    with table_writer(paths.out / "corpus.parquet", schema) as writer:
        for batch in rest.batches():
            writer.add(pa.table(batch))


if __name__ == "__main__":
    run_stage("label", run, extends=["splits"])
