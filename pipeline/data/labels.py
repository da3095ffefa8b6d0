"""Reads label cells of data files; a cell that does not fit the problem is a `DataError`."""

from pipeline.core.errors import DataError
from pipeline.problem.labelling import Labelling, RefusedError
from pipeline.problem.problem import Problem


def read_label(value: str, problem: Problem, labelling: Labelling, *, where: str) -> str:
    """The label in the form that tables use; see the problem's own `read_label`.

    Args:
        where: file and line, for the message.

    Raises:
        DataError: not a label of the product, several labels where there must be one, or not a
            finite number.
    """
    try:
        return problem.read_label(value, labelling, where=where)
    except RefusedError as refused:
        raise data_error(refused) from None


def data_error(refused: RefusedError) -> DataError:
    """The pipeline's error for a cell that the problem refused."""
    return DataError(refused.got, expected=refused.expected, next_step=refused.next_step)
