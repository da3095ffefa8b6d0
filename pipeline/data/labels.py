"""Turns the refusals of a problem into the pipeline's errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.core.errors import DataError
from pipeline.problem.labelling import RefusedError


@contextmanager
def refusals_are_data_errors() -> Iterator[None]:
    """Raise as `DataError` what a problem refuses: a label cell, or labels that are out of balance."""
    try:
        yield
    except RefusedError as refused:
        raise DataError(
            refused.got, expected=refused.expected, next_step=refused.next_step
        ) from None
