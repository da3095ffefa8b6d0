"""Writes a page on what new labels changed, once a build has come to its end.

Each build of a product with labels of people leaves what the next one is compared with, in
`.modelyard/label_changes/<product>/round/`: the rows with labels and votes, the released model's answers, and
the figures of agreement. The page stands beside it, with its figures as JSON.
"""

import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.execution.data_versions import votes_of_build
from pipeline.core.artifacts.data_reports import AgreementReport, BaselineVerdict
from pipeline.core.artifacts.table_columns import LabelledRecords, ReleasedAnswers
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.files import (
    atomic_path,
    read_json,
    sha256_file,
    sha256_json,
    write_json,
    write_text,
)
from pipeline.core.params import Params, as_values, load_params
from pipeline.core.paths import Paths
from pipeline.core.typed_json import read_as
from pipeline.data.version_diff import COMPARED, difference
from pipeline.data.versions import balance, present_rows
from pipeline.monitoring.answers_comparison import compare_answers
from pipeline.problem.problems import problem_named
from pipeline.report.label_changes import (
    AgreementState,
    Estimate,
    LabelChanges,
    Needed,
    QualityChange,
    RowChanges,
    label_changes_page,
)
from pipeline.text.split_assignment import SPLITS

PAGE = "page.html"
FIGURES = "changes.json"
_ROUND = "round"
_EXAMPLES = 20
_COMMONEST = 12

Vote = tuple[str, str, str]
"""Row, person, label."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """The state of a build that the next one is compared with, beside its rows and answers.

    Attributes:
        built: when it ended, UTC.
        recipe: hash of all values of the build but the sources; `code`: of the stages' code.
        agreement: as of the build.
        more_labels: labels still needed then; None where that was not known.
    """

    built: str
    labels: list[str]
    recipe: str
    code: str
    agreement: AgreementState
    more_labels: int | None


def keep_label_changes(workspace: Path, root: Path) -> Path | None:
    """Writes the page where people's labels differ from those of the product's build before; returns its path.

    An experiment leaves nothing, nor does a build without labels of people.
    """
    paths = Paths(workspace)
    needed = (LabelledRecords.FILE, AgreementReport.FILE, ReleasedAnswers.FILE)
    if not all((paths.artifacts / name).exists() for name in needed):
        return None
    params = load_params(paths.build)
    product = params.product.name
    if workspace != root and workspace.name != product:
        return None
    if not (votes := votes_of_build(workspace, params)):
        return None
    folder = changes_folder(root, product)
    rows = pa.Table.from_batches(batch.select(COMPARED) for batch in present_rows(paths, votes))
    before, now = _former(folder / _ROUND), _present(paths, params)
    former_rows = pq.read_table(folder / _ROUND / "rows.parquet") if before else rows.slice(0, 0)
    given, gone = _votes_between(former_rows, rows)
    page = None
    if given or gone:
        changes = LabelChanges(
            product=product,
            metric=params.product.requirements.quality_metric,
            before=before.built if before else "",
            after=now.built,
            votes=len(given),
            gone=len(gone),
            people=dict(sorted(Counter(person for _, person, _ in given).items())),
            others=_others(before, now),
            rows=_row_changes(former_rows, rows, params),
            agreement_before=before.agreement if before else None,
            agreement=now.agreement,
            quality=_quality(folder / _ROUND, paths, params) if before else [],
            figures=_figures(paths, params),
            needed=_needed(paths, params, before),
        )
        page = folder / PAGE
        write_json(folder / FIGURES, asdict(changes))
        write_text(page, label_changes_page(changes))
    _keep(folder / _ROUND, now, rows, paths)
    return page


def changes_folder(root: Path, product: str) -> Path:
    """The folder of a product's page and of what the next build is compared with."""
    return Paths(root).state / "label_changes" / product


def _former(folder: Path) -> Round | None:
    """The state that the build before left; None where none did."""
    file = folder / "round.json"
    return read_as(Round, read_json(file)) if file.exists() else None


def _present(paths: Paths, params: Params) -> Round:
    values = as_values(params)
    values["collect"].pop("sources", None)
    outlook = BaselineVerdict.read(paths).outlook if _has(paths, BaselineVerdict.FILE) else None
    return Round(
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        labels=[*params.product.labels],
        recipe=sha256_json(values),
        code=sha256_file(paths.code_lock) if paths.code_lock.exists() else "",
        agreement=_agreement(AgreementReport.read(paths)),
        more_labels=outlook.more_labels if outlook else None,
    )


def _keep(folder: Path, now: Round, rows: pa.Table, paths: Paths) -> None:
    """Leaves what the next build is compared with; round.json last, without which there is nothing."""
    (folder / "round.json").unlink(missing_ok=True)
    with atomic_path(folder / "rows.parquet") as temporary:
        pq.write_table(rows, temporary, compression="zstd")
    with atomic_path(folder / "answers.parquet") as temporary:
        shutil.copyfile(paths.artifacts / ReleasedAnswers.FILE, temporary)
    write_json(folder / "round.json", asdict(now))


def _votes_between(before: pa.Table, after: pa.Table) -> tuple[set[Vote], set[Vote]]:
    """The votes that are new or another, and those that are gone without another in their place."""
    old, new = _votes(before), _votes(after)
    given = new - old
    again = {(row, person) for row, person, _ in new}
    return given, {vote for vote in old - new if vote[:2] not in again}


def _votes(rows: pa.Table) -> set[Vote]:
    voted = rows.filter(pc.greater(pc.list_value_length(rows["votes"]), 0))
    pairs = zip(voted["id"].to_pylist(), voted["votes"].to_pylist(), strict=True)
    return {(row, vote["annotator"], vote["label"]) for row, votes in pairs for vote in votes}


def _others(before: Round | None, now: Round) -> list[str]:
    """Names the parts, other than labels and sources, that differ from the build before."""
    if before is None:
        return []
    parts = {
        "the product's labels": before.labels != now.labels,
        "parameters": before.recipe != now.recipe,
        "code of the stages": before.code != now.code,
    }
    return [name for name, differs in parts.items() if differs]


def _row_changes(before: pa.Table, after: pa.Table, params: Params) -> RowChanges:
    found = difference(before, after)
    product = params.product
    problem = problem_named(product.problem)
    was, is_now = (
        balance(table["label"], problem=problem, labels=product.labels) for table in (before, after)
    )
    relabelled = found.relabelled.to_pylist()
    pairs = Counter((row["before"], row["after"]) for row in relabelled)
    splits = [Counter(table["split"].to_pylist()) for table in (before, after)]
    return RowChanges(
        before=len(before),
        after=len(after),
        **{kind: found.counts[kind] for kind in ("added", "removed", "moved")},
        relabelled_rows=len(relabelled),
        labels={name: (int(was.get(name, 0)), int(rows)) for name, rows in is_now.items()},
        splits={name: (splits[0][name], splits[1][name]) for name in SPLITS},
        relabelled=[(*pair, rows) for pair, rows in pairs.most_common(_COMMONEST)],
        examples=[
            (row["id"], row["before"], row["after"], ", ".join(row["who"]))
            for row in relabelled[:_EXAMPLES]
        ],
    )


def _agreement(report: AgreementReport) -> AgreementState:
    alpha = None
    if report.alpha is not None:
        low, high = report.interval or (None, None)
        alpha = Estimate(value=report.alpha, low=low, high=high)
    return AgreementState(
        alpha=alpha,
        double_rows=report.double_rows,
        rows=report.annotated_rows,
        people=report.annotators,
    )


def _quality(former: Path, paths: Paths, params: Params) -> list[QualityChange]:
    answers = paths.artifacts / ReleasedAnswers.FILE
    return [
        QualityChange(
            split=one.split,
            rows=one.rows,
            before=one.before,
            after=one.after,
            difference=Estimate(value=one.difference, low=one.low, high=one.high),
        )
        for one in compare_answers(former / "answers.parquet", answers, params)
    ]


def _figures(paths: Paths, params: Params) -> dict[str, Estimate]:
    """Split → the released variant's quality there."""
    metric = params.product.requirements.quality_metric
    entry = Scorecard.read(paths).entry(Verdict.read(paths).released)
    return {
        split: Estimate(
            value=quality.figures[metric],
            low=quality.intervals[metric][0],
            high=quality.intervals[metric][1],
        )
        for split, quality in entry.quality.items()
    }


def _needed(paths: Paths, params: Params, before: Round | None) -> Needed | None:
    if not _has(paths, BaselineVerdict.FILE):
        return None
    found = BaselineVerdict.read(paths)
    outlook = found.outlook
    return Needed(
        verdict=found.verdict,
        wanted=params.product.requirements.min_quality,
        more=outlook.more_labels if outlook else None,
        at_least=outlook.at_least if outlook else None,
        at_most=outlook.at_most if outlook else None,
        more_before=before.more_labels if before else None,
    )


def _has(paths: Paths, name: str) -> bool:
    return (paths.artifacts / name).exists()
