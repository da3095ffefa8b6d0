"""Whether the labelled rows can be learned from: how many are left, and how their labels are spread."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.data_reports import NumberSpread, RejectShares
from pipeline.core.errors import DataError
from pipeline.core.params import ValidateParams
from pipeline.data.labels import data_error
from pipeline.data.records import Record
from pipeline.problem.labelling import RefusedError
from pipeline.problem.problem import Problem


def label_counts(
    records: Sequence[Record], *, problem: Problem, labels: Sequence[str]
) -> dict[str, int]:
    """Rows of each label of the product; a row of several labels counts for each, one with a number once."""
    counts = Counter(label for row in _labels(records) for label in problem.labels_in(row, labels))
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
    records: Sequence[Record],
    counts: Mapping[str, int],
    *,
    problem: Problem,
    params: ValidateParams,
) -> None:
    """Stop the line where the labels of the rows that are left are too few or too much alike.

    Args:
        counts: by `label_counts`.

    Raises:
        DataError: a label is missing, rare, or too common; numbers do not differ.
    """
    try:
        problem.check_rows(_labels(records), counts, limits=params)
    except RefusedError as refused:
        raise data_error(refused) from None


def spread(records: Sequence[Record], *, problem: Problem) -> NumberSpread | None:
    """How the numbers of a regression product are spread; None where rows have labels."""
    found = problem.spread(_labels(records))
    return None if found is None else NumberSpread(**found)


def _labels(records: Sequence[Record]) -> list[str]:
    return [record.label or "" for record in records]


def _at_most(what: str, share: float, limit: float, why: str) -> None:
    if share > limit:
        name = "max_reject_share" if what == "rejected" else "max_duplicate_share"
        raise DataError(
            f"{share:.1%} of the labelled rows are {what} ({why})",
            expected=f"at most {limit:.1%} (validate.{name})",
            next_step=f"correct the source, or raise validate.{name} if you know why it is so",
        )
