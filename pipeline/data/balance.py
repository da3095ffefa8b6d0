"""Whether the labelled rows can be learned from: how many are left, and how their labels are spread."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.data_reports import NumberSpread, RejectShares
from pipeline.core.errors import DataError
from pipeline.core.params import ValidateParams
from pipeline.core.product import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.data.labels import held_labels
from pipeline.data.records import Record


def label_counts(
    records: Sequence[Record], *, problem: str, labels: Sequence[str]
) -> dict[str, int]:
    """Rows of each label of the product; a row of several labels counts for each, one with a number once."""
    if problem == REGRESSION:
        return {labels[0]: len(records)}
    held = (
        held_labels(record.label or "") if problem == MULTI_LABEL else [record.label or ""]
        for record in records
    )
    counts = Counter(label for row in held for label in row)
    return {label: counts[label] for label in labels}


def check_shares(shares: RejectShares, *, params: ValidateParams, why: str) -> None:
    """Stop the line where too many labelled rows were taken out.

    Args:
        why: what took rows out, for the message.

    Raises:
        DataError: too many rejects or copies.
    """
    _at_most("rejected", shares.rejected, params.max_reject_share, why)
    _at_most("copies of others", shares.copies, params.max_duplicate_share, why)


def check_balance(
    records: Sequence[Record], counts: Mapping[str, int], *, problem: str, params: ValidateParams
) -> None:
    """Stop the line where the labels of the rows that are left are too few or too much alike.

    Args:
        counts: by `label_counts`.

    Raises:
        DataError: a label is missing, rare, or too common; numbers do not differ.
    """
    if problem == REGRESSION:
        _differ(records, counts, params.min_rows_per_label)
        return
    shown = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
    if problem == CLASSIFICATION and sum(count > 0 for count in counts.values()) < 2:
        raise DataError(
            f"one class only ({shown})",
            expected="rows of at least two labels",
            next_step="check label_column and label_values of the labelled sources",
        )
    rarest = min(counts, key=lambda label: counts[label])
    if counts[rarest] < params.min_rows_per_label:
        raise DataError(
            f"label {rarest!r} has {counts[rarest]:,} rows ({shown})",
            expected=f"at least {params.min_rows_per_label:,} (validate.min_rows_per_label)",
            next_step=f"add rows of {rarest!r}, or take it out of product.labels",
        )
    commonest = max(counts, key=lambda label: counts[label])
    share = counts[commonest] / len(records)
    if share > params.max_label_share:
        raise DataError(
            f"label {commonest!r} holds {share:.1%} of the rows ({shown})",
            expected=f"at most {params.max_label_share:.0%} (validate.max_label_share)",
            next_step="add rows of the other labels",
        )


def spread(records: Sequence[Record]) -> NumberSpread:
    """How the numbers of a regression product are spread."""
    numbers = [float(record.label or "nan") for record in records]
    return NumberSpread(
        least=min(numbers),
        median=statistics.median(numbers),
        mean=statistics.fmean(numbers),
        most=max(numbers),
        different=len(set(numbers)),
    )


def _differ(records: Sequence[Record], counts: Mapping[str, int], least: int) -> None:
    if len(records) < least:
        raise DataError(
            f"{len(records):,} rows with a number",
            expected=f"at least {least:,} (validate.min_rows_per_label)",
            next_step="add rows, or lower the limit",
        )
    if len({record.label for record in records}) < 2:
        raise DataError(
            f"every row has the same number ({records[0].label})",
            expected=f"numbers that differ: {', '.join(counts)} cannot be learned from one",
            next_step="check label_column of the labelled sources",
        )


def _at_most(what: str, share: float, limit: float, why: str) -> None:
    if share > limit:
        name = "max_reject_share" if what == "rejected" else "max_duplicate_share"
        raise DataError(
            f"{share:.1%} of the labelled rows are {what} ({why})",
            expected=f"at most {limit:.1%} (validate.{name})",
            next_step=f"correct the source, or raise validate.{name} if you know why it is so",
        )
