"""Tells which pairs of people agree least, by Cohen's kappa, and which labels they take for each other.

Cohen's kappa of two people is (p − e) / (1 − e): p is the share of the rows that both voted on to which they
gave the same answer, e the share that two people with their habits would agree on by chance (Cohen 1960).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.metrics.bias_corrected import bias_corrected_interval
from pipeline.metrics.chance_agreement import CONFIDENCE, RESAMPLES
from pipeline.metrics.intervals import Interval
from pipeline.metrics.vote_table import Floats, Integers, VoteTable

FEWEST_ROWS = 20
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class PairOfPeople:
    """Two people who voted on the same rows.

    Attributes:
        rows: on which both voted.
        same: share of these rows to which they gave the same answers to all questions.
        kappa: Cohen's, the mean over the questions to which their answers could differ; None where none could.
    """

    first: str
    second: str
    rows: int
    same: float
    kappa: Interval | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Two labels that people give to the same rows.

    Attributes:
        rows: to which one person gave the first label, and another the second.
        share: of all pairs of votes that differ, the part that differs so.
    """

    first: str
    second: str
    rows: int
    share: float


def pairs_of_people(table: VoteTable, *, most: int, seed: int) -> list[PairOfPeople]:
    """Returns the pairs of people who agree least, the lowest kappa first.

    Those with fewer than `FEWEST_ROWS` common rows are left out: their kappa would tell little.

    Args:
        most: how many pairs.
    """
    votes, others = pairs_of_votes(table)
    pair = table.people[votes] * len(table.names) + table.people[others]
    order = np.argsort(pair, kind="stable")
    numbers, starts, counts = np.unique(pair[order], return_index=True, return_counts=True)
    found: list[tuple[float, int, int, Integers]] = []
    for number, start, count in zip(
        numbers.tolist(), starts.tolist(), counts.tolist(), strict=True
    ):
        if count < FEWEST_ROWS:
            continue
        of_it = order[start : start + count]
        answers = np.stack([table.answers[votes[of_it]], table.answers[others[of_it]]])
        kappas = _kappas(answers, np.ones((1, count)), choices=table.choices)[0]
        kappa = float(np.nanmean(kappas)) if not np.isnan(kappas).all() else 1.0
        found.append((kappa, *divmod(number, len(table.names)), answers))
    worst = sorted(found, key=lambda pair: pair[:3])[:most]
    return [
        _described(table, first, second, answers, seed=seed) for _, first, second, answers in worst
    ]


def confusions(table: VoteTable, labels: Sequence[str], *, most: int) -> list[Confusion]:
    """Returns the pairs of labels between which people differ most often; none for several labels a text."""
    if table.answers.shape[1] > 1:
        return []
    counts = table.counts(0)
    together, rows = counts.T @ counts, (counts > 0).astype(np.int64).T @ (counts > 0)
    firsts, seconds = np.triu_indices(len(labels), k=1)
    apart = together[firsts, seconds]
    order = np.argsort(-apart, kind="stable")[:most]
    return [
        Confusion(
            labels[firsts[place]],
            labels[seconds[place]],
            int(rows[firsts[place], seconds[place]]),
            float(apart[place] / apart.sum()),
        )
        for place in order[apart[order] > 0].tolist()
    ]


def _described(
    table: VoteTable, first: int, second: int, answers: Integers, *, seed: int
) -> PairOfPeople:
    """Returns a pair with the interval of its kappa, a bootstrap over the rows.

    Args:
        answers: `(people, rows, questions)`.
    """
    both = answers[0] * table.choices + answers[1]
    different, often = np.unique(both, axis=0, return_counts=True)
    rows = int(often.sum())
    times = np.random.default_rng(seed).multinomial(rows, often / rows, size=RESAMPLES)
    pairs = np.stack(np.divmod(different, table.choices))
    found = _kappas(pairs, often[None].astype(np.float64), choices=table.choices)[0]
    kappa = None
    if (known := ~np.isnan(found)).any():
        drawn = _kappas(pairs, times.astype(np.float64), choices=table.choices)[:, known]
        means = np.nan_to_num(drawn, nan=1.0).mean(axis=1)
        value = float(found[known].mean())
        kappa = bias_corrected_interval(value, means, confidence=CONFIDENCE)
    same = float((answers[0] == answers[1]).all(axis=1).mean())
    return PairOfPeople(table.names[first], table.names[second], rows, same, kappa)


def _kappas(answers: Integers, times: Floats, *, choices: int) -> Floats:
    """Returns Cohen's kappa of each question, `(draws, questions)`; NaN where no two answers differ.

    Args:
        answers: of two people, `(people, rows, questions)`.
        times: how often each row occurs, `(draws, rows)`.
    """
    rows = times.sum(axis=1)
    found = []
    for question in range(answers.shape[2]):
        first, second = answers[0, :, question], answers[1, :, question]
        same = times @ (first == second) / rows
        habits = [times @ np.eye(choices)[given] / rows[:, None] for given in (first, second)]
        by_chance = (habits[0] * habits[1]).sum(axis=1)
        differ = 1 - by_chance > _ROUNDING
        kappa = (same - by_chance) / np.where(differ, 1 - by_chance, 1.0)
        found.append(np.where(differ, kappa, np.nan))
    return np.stack(found, axis=1)


def pairs_of_votes(table: VoteTable) -> tuple[Integers, Integers]:
    """Returns the numbers of both votes of each two on one row, `(pairs,)` twice; the lower person first."""
    counts = table.votes_of_rows
    starts = np.cumsum(counts) - counts
    parts = [_within(starts[counts == size], size) for size in np.unique(counts[counts > 1])]
    votes = np.concatenate([np.zeros((2, 0), dtype=np.int64), *parts], axis=1)
    swapped = table.people[votes[0]] > table.people[votes[1]]
    return np.where(swapped, votes[1], votes[0]), np.where(swapped, votes[0], votes[1])


def _within(starts: Integers, size: int) -> Integers:
    """Returns the pairs of votes of rows that have `size` votes each from `starts` on, `(2, pairs)`."""
    first, second = np.triu_indices(size, k=1)
    return np.stack([(starts[:, None] + part).reshape(-1) for part in (first, second)])
