"""Tries on rows what the data stages will do, and says what must change so that they do not stop.

The limits of params.yaml are for a product at work. A first file is often smaller, or less even, than
they allow: where a build can still make a model of it, the product file asks for other limits, and
says why.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.sections import PrepareParams, ValidateParams
from pipeline.data.label_forms import LabelForm
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.layout import FileRow
from pipeline.data.records import Record, record_id
from pipeline.data.row_batches import rows_of
from pipeline.data.row_checks import CONFLICT, COPY, Checked, check_labelled
from pipeline.problem.problems import CLASSIFICATION, problem_named
from pipeline.text.split_assignment import SPLITS, split_of

_STEP = 0.05
_MOST_UNUSABLE = 0.5
_FEWEST_ROWS = 3
_UNEVEN = 0.8
_SALTS = 200
_FINER = (0.9, 0.95, 1.0)
_SIMILARITY = "near_duplicate_similarity"
_FEWEST_IN_ALL = 100
_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value of the recipe that the product file changes, and why, in a few words."""

    key: str
    value: Any
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Outcome of the data stages on the rows.

    Attributes:
        rows: rows that were tried; of a long file, a random part.
        counts: label → rows that passed the checks.
        reasons: why rows are taken out → how many.
    """

    rows: int
    checked: Checked
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    changes: Sequence[Change]


def as_records(
    rows: Sequence[FileRow],
    *,
    source: str,
    text: str,
    second: str | None,
    label: str,
    form: LabelForm,
    most: int | None = _MOST_ROWS,
) -> list[Record]:
    """The records that collect will make of the rows, those with a label; at most `most` of them."""
    problem, records = problem_named(form.problem), []
    copies: Counter[tuple[str, str | None]] = Counter()
    labelling = form.labelling
    for line, row in rows:
        texts = row.get(text, ""), row.get(second, "") if second else None
        with refusals_are_data_errors():
            found = problem.read_label(row.get(label, ""), labelling, where=f"line {line}")
        identifier = record_id(source, texts[0], second=texts[1], copy=copies[texts])
        copies[texts] += 1
        records.append(
            Record(id=identifier, source=source, text=texts[0], second=texts[1], label=found)
        )
    return sorted(records, key=lambda record: record.id)[:most]


def try_rows(
    records: Sequence[Record], *, form: LabelForm, limits: ValidateParams, prepare: PrepareParams
) -> Trial:
    """Cleans, compares, counts and splits the records as validate and prepare will.

    Raises:
        DataError: nothing that a recipe can say makes a product of these rows.
    """
    checked = check_labelled(rows_of(records), limits)
    reasons = Counter(str(record.reason) for record in checked.rejects)
    of_shares = _of_shares(reasons, len(records), limits)
    _require_enough(checked, form)
    checked, changes = _dealt(checked, records, form=form, limits=limits, prepare=prepare)
    problem = problem_named(form.problem)
    counts = dict.fromkeys(form.labels, 0)
    for record in checked.records:
        for name in problem.labels_in(record.label or "", form.labels):
            counts[name] += 1
    return Trial(
        rows=len(records),
        checked=checked,
        counts=counts,
        reasons=reasons,
        changes=[
            *of_shares,
            *_of_labels(counts, len(checked.records), form=form, limits=limits),
            *changes,
        ],
    )


def _dealt(
    checked: Checked,
    records: Sequence[Record],
    *,
    form: LabelForm,
    limits: ValidateParams,
    prepare: PrepareParams,
) -> tuple[Checked, list[Change]]:
    """The checked records, and what must change so that every split has every label.

    Rows made of a pattern may all be near copies of each other, which stay in one split: they are
    told apart more finely then.
    """
    usual = limits.near_duplicate_similarity
    for least in [usual, *(value for value in _FINER if value > usual)]:
        finer = checked
        if least != usual:
            finer = check_labelled(rows_of(records), limits.model_copy(update={_SIMILARITY: least}))
        found = _of_splits(finer.records, form=form, prepare=prepare)
        if found is not None and least == usual:
            return finer, found
        if found is not None:
            largest = max(Counter(record.cluster for record in checked.records).values())
            why = (
                f"{largest:,} rows are near copies of one another, which would all be in one split"
            )
            return finer, [Change(key=f"validate.{_SIMILARITY}", value=least, why=why), *found]
    raise _not_dealt(checked.records, form)


def _require_enough(checked: Checked, form: LabelForm) -> None:
    """Raises DataError where the rows are too few to learn from, choose by and test on."""
    problem, rows = problem_named(form.problem), len(checked.records)
    if rows < _FEWEST_IN_ALL:
        raise DataError(
            f"{rows:,} usable rows in all",
            expected=f"at least {_FEWEST_IN_ALL}, and some 300 for a start: a tenth of them decides",
            next_step="add rows",
        )
    counts = Counter(dict.fromkeys(form.labels, 0))
    for record in checked.records:
        counts.update(problem.labels_in(record.label or "", form.labels))
    rare = min(form.labels, key=counts.__getitem__)
    if problem.has_probabilities and counts[rare] < _FEWEST_ROWS:
        raise DataError(
            f"label {rare!r} has {counts[rare]} usable rows",
            expected=f"at least {_FEWEST_ROWS}: one to learn from, one to choose by, one to test on",
            next_step="add rows of it, or give these rows another label, or leave them out, in the file",
        )


def _of_shares(reasons: Mapping[str, int], rows: int, limits: ValidateParams) -> list[Change]:
    """Limits for the shares of copies and of rows that are taken out for another reason."""
    copies = reasons.get(COPY, 0)
    rejected = sum(reasons.values()) - copies
    found = (
        ("max_duplicate_share", copies / rows, "of the rows are copies of others"),
        ("max_reject_share", rejected / rows, "of the rows cannot be used"),
    )
    changes = []
    for name, share, what in found:
        if name == "max_reject_share" and share > _MOST_UNUSABLE:
            raise _unusable(reasons, rows)
        if share > getattr(limits, name):
            changes.append(
                Change(
                    key=f"validate.{name}",
                    value=round(math.ceil((share + 0.005) / _STEP) * _STEP, 2),
                    why=f"{share:.1%} {what}",
                )
            )
    return changes


def _unusable(reasons: Mapping[str, int], rows: int) -> DataError:
    shown = ", ".join(f"{reason}: {count:,}" for reason, count in reasons.items())
    texts = " (equal texts have different labels)" if reasons.get(CONFLICT, 0) > rows / 4 else ""
    return DataError(
        f"most of the {rows:,} rows cannot be used ({shown}){texts}",
        expected="texts with one right answer each",
        next_step="name other columns with --text and --label, or correct the file",
    )


def _of_labels(
    counts: Mapping[str, int], rows: int, *, form: LabelForm, limits: ValidateParams
) -> list[Change]:
    """Limits for rare labels and for one that nearly all rows have; weights for uneven ones."""
    problem = problem_named(form.problem)
    if not problem.has_probabilities:
        return []
    rare = min(counts, key=counts.__getitem__)
    changes = _of_few(counts[rare], repr(rare), limits)
    common = max(counts, key=counts.__getitem__)
    share = counts[common] / max(rows, 1)
    if share > limits.max_label_share:
        why = f"{common!r} is on {share:.1%} of the rows: more of the others would help"
        value = min(1.0, round(math.ceil(share * 100 + 1) / 100, 2))
        changes.append(Change(key="validate.max_label_share", value=value, why=why))
    if form.problem == CLASSIFICATION and share > _UNEVEN:
        why = "rare labels count as much as the frequent one while the teacher learns"
        changes.append(Change(key="finetune.class_weights", value="balanced", why=why))
    return changes


def _of_few(rows: int, of: str, limits: ValidateParams) -> list[Change]:
    if rows >= limits.min_rows_per_label:
        return []
    why = f"{of} has {rows} rows: more would make it better"
    return [Change(key="validate.min_rows_per_label", value=rows, why=why)]


def _of_splits(
    records: Sequence[Record], *, form: LabelForm, prepare: PrepareParams
) -> list[Change] | None:
    """A salt by which every split has every label, where that of the recipe leaves one out; None
    where there is none.
    """
    problem = problem_named(form.problem)
    targets = [problem.target(record.label or "", form.labels) for record in records]
    clusters = [record.cluster or "" for record in records]

    def fits(salt: str) -> bool:
        splits = [split_of(cluster, salt=salt, shares=prepare.shares) for cluster in clusters]
        parts = (
            [target for target, found in zip(targets, splits, strict=True) if found == split]
            for split in SPLITS
        )
        return all(part and not problem.split_fault(part, form.labels) for part in parts)

    if fits(prepare.salt):
        return []
    for number in range(2, _SALTS):
        if fits(salt := f"modelyard-{number}"):
            why = "the usual way to deal the rows leaves a split without one of the labels"
            return [Change(key="prepare.salt", value=salt, why=why)]
    return None


def _not_dealt(records: Sequence[Record], form: LabelForm) -> DataError:
    problem = problem_named(form.problem)
    counts = Counter(n for r in records for n in problem.labels_in(r.label or "", form.labels))
    shown = ", ".join(f"{name}: {count:,}" for name, count in counts.most_common())
    return DataError(
        f"rows that cannot be dealt into train, validation and test with every label in each ({shown})",
        expected=f"{problem.words.every_split}; near copies of a text stay together",
        next_step="add rows of the rarest label that are no near copies of each other",
    )
