"""Counts which labels people give to the same rows, for each two votes on a row."""

import numpy as np

from pipeline.metrics.pairs_of_people import pairs_of_votes
from pipeline.metrics.vote_table import Floats, Integers, VoteTable

_PAIRS_AT_A_TIME = 200_000


def confusion_matrix(
    table: VoteTable, *, labels: int, people: tuple[str, str] | None = None
) -> Integers:
    """Returns how many pairs of votes on one row have each two labels, `(labels, labels)`.

    Of two people, the first one's label is the row of the matrix and the other's its column. Of everybody the matrix is
    symmetric: a pair of votes that differ counts in one cell and in the mirrored one.

    Where a text may have several labels, the diagonal counts pairs that both have the label. A cell beside it counts pairs in
    which one vote has the first label, which the other lacks, and the other has the second, which the one lacks.

    Args:
        labels: how many labels the product has.
        people: names of two people, whose votes alone count.
    """
    votes, others = pairs_of_votes(table)
    if people is not None:
        first, second = (table.names.index(name) for name in people)
        low, high = sorted((first, second))
        kept = (table.people[votes] == low) & (table.people[others] == high)
        votes, others = votes[kept], others[kept]
        if first > second:
            votes, others = others, votes
    found = _counted(table, votes, others, labels=labels)
    return found if people is not None else found + found.T - np.diag(np.diag(found))


def rows_of_both(table: VoteTable) -> list[tuple[str, str, int]]:
    """Returns each two people with the number of rows on which both voted, most first; only those who share some."""
    votes, others = pairs_of_votes(table)
    size = len(table.names)
    pairs, counts = np.unique(table.people[votes] * size + table.people[others], return_counts=True)
    found = [
        (table.names[pair // size], table.names[pair % size], count)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
    ]
    return sorted(found, key=lambda pair: (-pair[2], pair[:2]))


def _counted(table: VoteTable, votes: Integers, others: Integers, *, labels: int) -> Integers:
    if table.answers.shape[1] == 1:
        cells = table.answers[votes, 0] * labels + table.answers[others, 0]
        return np.bincount(cells, minlength=labels**2).reshape(labels, labels)
    found: Floats = np.zeros((labels, labels))
    for start in range(0, len(votes), _PAIRS_AT_A_TIME):
        part = slice(start, start + _PAIRS_AT_A_TIME)
        one, other = (table.answers[each[part]].astype(np.float64) for each in (votes, others))
        found += (one * (1 - other)).T @ (other * (1 - one)) + np.diag((one * other).sum(axis=0))
    return found.astype(np.int64)
