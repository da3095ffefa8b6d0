"""Tells which rows people dispute by their votes, and how dear each dispute is."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.problem.labelling import Labels
from pipeline.problem.problem import Problem

TOLERANCE = 0.5
"""Numbers that people give to one row differ where they lie further apart than this part of the numbers' spread."""


def disagreement(votes: Sequence[str], *, problem: Problem, labels: Labels) -> float:
    """Returns how far the votes on a row lie apart: 0 where all are the same.

    Of labels it is the entropy of the votes in bits, of several labels the sum over the labels, each of which a vote gives
    or not. Of numbers it is the distance between the smallest and the largest.

    Args:
        votes: stored labels, one a person.
    """
    if not votes:
        return 0.0
    if not problem.has_probabilities:
        numbers = [float(vote) for vote in votes]
        return max(numbers) - min(numbers)
    return sum(_entropy(row) for (row,) in problem.questions([votes], labels))


def tolerance(votes: Mapping[str, int], *, problem: Problem) -> float:
    """Returns the disagreement up to which votes on a row count as the same.

    It is 0 for labels. For numbers it is `TOLERANCE` times their standard deviation, for a product names no ends of its scale.

    Args:
        votes: stored label → how many votes on all rows say it.
    """
    if problem.has_probabilities:
        return 0.0
    given = {vote: count for vote, count in votes.items() if count > 0}
    numbers = np.repeat([float(vote) for vote in given], [*given.values()])
    return TOLERANCE * problem.tolerance_unit(numbers[:, None]) if len(numbers) else 0.0


def disputed_rows(
    votes: Mapping[str, Mapping[str, str]], *, problem: Problem, labels: Labels
) -> set[str]:
    """Returns the rows about which people differ.

    Args:
        votes: row → person → stored label.
    """
    every = Counter(vote for row in votes.values() for vote in row.values())
    least = tolerance(every, problem=problem)
    return {
        row
        for row, given in votes.items()
        if len(given) > 1
        and disagreement([*given.values()], problem=problem, labels=labels) > least
    }


def price(disagreement: float, *, closeness: float | None, notes: int) -> float:
    """Returns how much an adjudication of the row is worth: disagreement × closeness × (1 + notes).

    Args:
        closeness: how near a model is to changing its answer, 0 to 1 (`closeness_of`); None where no model answered, which
            counts as 1.
        notes: flags and comments on the row.
    """
    return disagreement * (1.0 if closeness is None else closeness) * (1 + notes)


def closeness_of(probability: float) -> float:
    """Returns 1 − the margin of a model's answer over the second likeliest, 0 to 1.

    Of two labels it is exact. Of more, the second likeliest is taken to have all that is left, so that it is never too small.

    Args:
        probability: of the likeliest label.
    """
    return min(1.0, max(0.0, 2 * (1 - probability)))


def _entropy(values: Sequence[object]) -> float:
    """The entropy of the shares of different values, bits."""
    shares = (count / len(values) for count in Counter(values).values())
    return sum(-share * math.log2(share) for share in shares if share < 1)
