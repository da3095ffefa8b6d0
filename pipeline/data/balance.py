"""Checks that there are enough labelled rows, and that their labels are balanced enough."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.data_reports import NumberSpread, RejectShares
from pipeline.core.errors import DataError
from pipeline.core.sections import ValidateParams
from pipeline.data.labels import refusals_are_data_errors
from pipeline.data.records import Record
from pipeline.problem.problem import Problem


def label_counts(
    records: Sequence[Record], *, problem: Problem, labels: Sequence[str]
) -> dict[str, int]:
    """Label of the product → number of rows that have it; regression counts all rows as one."""
    counts = Counter(label for row in _labels(records) for label in problem.labels_in(row, labels))
    return {label: counts[label] for label in labels}


def check_shares(shares: RejectShares, *, params: ValidateParams, why: str) -> None:
    """Stop the build where too many labelled rows were taken out.

    Args:
        why: the reasons for which rows were taken out, for the message.

    Raises:
        DataError: too many rejects or copies.
    """
    for what, share, name in (
        ("rejected", shares.rejected, "max_reject_share"),
        ("copies of others", shares.copies, "max_duplicate_share"),
    ):
        limit: float = getattr(params, name)
        if share > limit:
            raise DataError(
                f"{share:.1%} of the labelled rows are {what} ({why})",
                expected=f"at most {limit:.1%} (validate.{name})",
                next_step=f"correct the source, or raise validate.{name} if the rows are fine",
            )


def check_balance(
    records: Sequence[Record],
    counts: Mapping[str, int],
    *,
    problem: Problem,
    params: ValidateParams,
) -> None:
    """Stop the build where the labels of the remaining rows are too few or too much alike.

    Args:
        counts: as `label_counts` gives them.

    Raises:
        DataError: a label is missing, too rare or too common, or all numbers are the same.
    """
    with refusals_are_data_errors():
        problem.check_rows(_labels(records), counts, limits=params)


def spread(records: Sequence[Record], *, problem: Problem) -> NumberSpread | None:
    """Least, most, mean and median of the rows' numbers; None where rows have labels."""
    found = problem.spread(_labels(records))
    return None if found is None else NumberSpread(**found)


def _labels(records: Sequence[Record]) -> list[str]:
    return [record.label or "" for record in records]
